"""The integration hub. Which room is what, and where to look for what: docs/rooms.md."""
