"""The schema registry: how a role gets its schemas; `server` is the role `registry`."""
