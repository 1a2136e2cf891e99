"""Opens a file as a table, by the format that its mapping names."""

from __future__ import annotations

from pathlib import Path

from hub_connectors.filedrop.csv_text import TextTable
from hub_connectors.filedrop.mapping import FileFormat
from hub_connectors.filedrop.table import Table
from hub_connectors.filedrop.xlsx import SheetTable


def open_table(path: Path, form: FileFormat) -> Table:
    """Opens the file and reads its header. BadRecord when it cannot be read at all: then the whole file is refused."""
    return SheetTable(path, form) if form.format == "xlsx" else TextTable(path, form)
