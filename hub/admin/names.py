"""What an act on a name may find: there is nothing of that name, or there is something already."""

from __future__ import annotations

from hub.errors import ConfigError


class NoSuchName(ConfigError):
    """There is nothing of that name."""


class NameIsTaken(ConfigError):
    """There is something of that name already."""
