"""File drop: folders where agencies leave CSV and XLSX files, each with the operator's mapping (docs/filedrop.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.config import Settings
    from hub.connect.source import Source


def source(settings: Settings) -> Source:
    """The entry point of `hub.sources`. ConfigError names a wrong field of `sources.filedrop`."""
    from hub.model.deadlines import day_end
    from hub_connectors.filedrop.settings import places, read
    from hub_connectors.filedrop.watch import FileDrop

    return FileDrop(places(settings), read(settings), day_end(settings.deadlines.day_ends_at))
