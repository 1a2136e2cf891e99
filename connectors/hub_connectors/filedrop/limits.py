"""What one file may ask of the hub. Each is a setting of the source, and each refusal names its setting.

Plain and small: the child process that reads the files imports it, and has nothing of the hub's settings.
"""

from __future__ import annotations

import msgspec

from hub.errors import BadRecord


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are those of the settings `sources.filedrop` (settings.py, which says what each one is)."""

    max_file_bytes: int = 512 * 2**20
    max_unpacked_bytes: int = 512 * 2**20
    max_rows: int = 2_000_000
    max_columns: int = 1_024
    max_cells: int = 50_000_000
    max_cell_chars: int = 32_767
    max_strings: int = 2_000_000
    max_refused: int = 10_000
    max_seconds: int = 300
    max_memory_mb: int = 1_024

    def over(self, name: str, what: str) -> BadRecord:
        """The refusal of what is over the limit of that name: `what` has a place for the number."""
        said = what.format(format(getattr(self, name), ","))
        return BadRecord("limit", f"{said}; the limit is sources.filedrop.{name}")

    def check_cells(self, cells: int) -> None:
        """BadRecord when the file's cells so far are too many."""
        if cells > self.max_cells:
            raise self.over("max_cells", "the file has more than {} cells")

    def check_place(self, line: int) -> None:
        """BadRecord when there are too many rows before this one."""
        if line > self.max_rows:
            raise self.over("max_rows", "the file has more than {} rows")


DEFAULT = Limits()
