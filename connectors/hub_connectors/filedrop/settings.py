"""Settings of the source (`sources.filedrop`), and the four places of the file drop.

Only the drop is an agency's to write. Mappings are the operator's; state and results are the hub's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.config import Settings
from hub.errors import ConfigError
from hub_connectors.filedrop.limits import DEFAULT, Limits

NAME = "filedrop"


class FileDropSettings(BaseModel):
    """`max_…` are limits on one file; what is over one is refused, with the setting's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mappings_dir: Path | None = Field(None, description="NAME.toml of each folder NAME; empty: data_dir/mappings")
    results_dir: Path | None = Field(
        None, description="NAME/done and NAME/failed, which agencies may read; empty: data_dir/results"
    )
    hard_links: bool = Field(False, description="take files that have another name too; whose, nobody can tell")
    max_file_bytes: int = Field(DEFAULT.max_file_bytes, ge=1, description="size of a file")
    max_unpacked_bytes: int = Field(DEFAULT.max_unpacked_bytes, ge=1, description="of a workbook, all parts unpacked")
    max_rows: int = Field(DEFAULT.max_rows, ge=1, description="lines of a CSV, rows of a sheet, empty ones too")
    max_columns: int = Field(DEFAULT.max_columns, ge=1, description="cells of a row; of a wider one the row is refused")
    max_cells: int = Field(DEFAULT.max_cells, ge=1, description="cells of a file, empty ones too")
    max_cell_chars: int = Field(
        DEFAULT.max_cell_chars, ge=1, le=131_072, description="characters of a cell; of a longer one the row is refused"
    )
    max_strings: int = Field(DEFAULT.max_strings, ge=1, description="shared texts of a workbook")
    max_refused: int = Field(DEFAULT.max_refused, ge=1, description="refused rows; with one more the file is refused")
    max_seconds: int = Field(DEFAULT.max_seconds, ge=1, description="time for reading a file, Kafka's not counted")
    max_memory_mb: int = Field(DEFAULT.max_memory_mb, ge=128, description="memory of the process that reads a file")

    @property
    def limits(self) -> Limits:
        return Limits(**self.model_dump(include=set(Limits.__struct_fields__)))


@dataclass(frozen=True, slots=True)
class Places:
    """drop: agencies write. mappings: the operator writes. state, results: the hub writes; agencies may read it."""

    drop: Path
    mappings: Path
    state: Path
    results: Path


def read(settings: Settings) -> FileDropSettings:
    """ConfigError names the wrong field."""
    try:
        return FileDropSettings.model_validate(settings.sources.get(NAME, {}))
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(".".join(map(str, ("sources", NAME, *first["loc"]))), first["msg"]) from None


def places(settings: Settings) -> Places:
    """ConfigError when one that is not an agency's to write lies inside the drop, or around it."""
    own, data = read(settings), settings.data_dir.absolute()
    found = Places(
        drop=(settings.filedrop_dir or data / "drop").absolute(),
        mappings=(own.mappings_dir or data / "mappings").absolute(),
        state=data / "sources" / NAME,
        results=(own.results_dir or data / "results").absolute(),
    )
    fields = {"sources.filedrop.mappings_dir": found.mappings, "sources.filedrop.results_dir": found.results,
              "data_dir": found.state}  # fmt: skip
    for field, path in fields.items():
        real, drop = path.resolve(), found.drop.resolve()
        if real.is_relative_to(drop) or drop.is_relative_to(real):
            raise ConfigError(
                field, f"{path} and the drop {found.drop} must not lie in each other: agencies write there"
            )
    return found
