"""The role `console`: pages for people and the read API, over the read model."""
