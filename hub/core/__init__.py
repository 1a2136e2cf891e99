"""The role `core`: the step that normalises, checks, numbers and tracks each event. Pure but for `role`."""
