"""Opens a file as a table, by the format that its mapping names."""

from __future__ import annotations

from pathlib import Path

from hub_connectors.filedrop.limits import DEFAULT, Limits
from hub_connectors.filedrop.table import Form, Table


def open_table(file: Path | int, form: Form, limits: Limits = DEFAULT) -> Table:
    """Opens the file (a path or a descriptor) and reads its header. BadRecord when it cannot be read at all: then the
    whole file is refused. Only the child process calls it for an outside file (reader.py)."""
    if form.format == "xlsx":
        from hub_connectors.filedrop.xlsx import SheetTable  # its library is loaded where a workbook is read

        return SheetTable(file, form, limits)
    from hub_connectors.filedrop.csv_text import TextTable

    return TextTable(file, form, limits)
