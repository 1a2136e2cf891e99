"""File drop: a folder where agencies leave CSV and XLSX files, each sub-folder with a mapping (docs/filedrop.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.config import Settings
    from hub.connect.source import Source


def source(settings: Settings) -> Source:
    """The entry point of `hub.sources`; the folder is `filedrop_dir`, or `drop` in the data folder."""
    from hub.model.deadlines import day_end
    from hub_connectors.filedrop.watch import FileDrop

    return FileDrop(settings.filedrop_dir or settings.data_dir / "drop", day_end(settings.deadlines.day_ends_at))
