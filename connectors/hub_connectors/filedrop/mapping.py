"""The mapping file (`NAME.toml` of the mappings folder): how an agency's columns become an event's fields.

It is data, checked when it is read; ConfigError names the key that is wrong.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hub.errors import BadRecord, ConfigError
from hub.events import families
from hub.model import codes
from hub_connectors.filedrop.encodings import nfc
from hub_connectors.filedrop.fields import Target, record_fields
from hub_connectors.filedrop.words import table

OLD_NAME = "mapping.toml"
"""A mapping in the agency's own folder, as older versions had it: whoever writes there could take another's source."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class FileFormat(_Strict):
    """How the file is written.

    skip_rows:   rows before the header (titles, the agency's letterhead).
    header_rows: rows of the header; more than one are joined down by " / ", empty upper cells taking the cell on their
                 left, as merged cells are exported.
    """

    format: Literal["csv", "xlsx"] = "csv"
    encoding: Literal["utf-8", "windows-1258", "tcvn3", "vni"] = "utf-8"
    delimiter: str = Field(",", pattern=r"^[\t -~]$")
    quote: str = Field('"', pattern=r"^[!-~]$")
    skip_rows: int = Field(0, ge=0, le=100)
    header_rows: int = Field(1, ge=1, le=10)
    sheet: str = Field("", description="XLSX: the sheet's name; empty: the first")


class Dates(_Strict):
    """forms: tried in this order (strptime); a form without offset is local time in `timezone`."""

    forms: tuple[str, ...] = ("%Y-%m-%dT%H:%M:%S%z", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
    timezone: str = "Asia/Ho_Chi_Minh"

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is no time zone; use a name as Asia/Ho_Chi_Minh") from None
        return name

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Mapping(_Strict):
    """columns: the file's column -> field, dotted for a nested record (`applicant.name`).
    words:     field -> the file's word -> value of the event's field (needed for enums other than their own symbols).
    words_from: name of a one-stop product whose words are known (folder `words`); those in `words` win over them.
    constants: field -> value, where the file has no column for it.
    required:  fields that may not be empty.
    source:    CloudEvents source. type: the ingress type, by default a dossier's step.
    agencies:  agency codes, either form, whose records this folder may bring; empty: any. Of a dossier the agency in
               its code counts, of others the field agency_code.
    """

    source: str = Field(min_length=1)
    type: str = families.DOSSIER.published
    agencies: tuple[str, ...] = ()
    pattern: str = Field("*", pattern=r"^[^/\\]+$", description="which files of the folder, as *.csv")
    file: FileFormat = FileFormat()
    dates: Dates = Dates()
    columns: dict[str, str]
    words: dict[str, dict[str, str]] = Field(default_factory=dict)
    words_from: str = ""
    constants: dict[str, str | int | float | bool] = Field(default_factory=dict)
    required: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _with_words_of_the_product(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(name := given.get("words_from") or None, str):
            return given
        own = given.get("words", {})
        if not isinstance(own, dict) or not all(isinstance(words, dict) for words in own.values()):
            return given
        known = table(name)
        return {**given, "words": {field: known.get(field, {}) | own.get(field, {}) for field in {**known, **own}}}

    @field_validator("columns", "words")
    @classmethod
    def _composed(cls, value: dict[str, object]) -> dict[str, object]:
        return {nfc(k): {nfc(w): v for w, v in x.items()} if isinstance(x, dict) else x for k, x in value.items()}

    @field_validator("agencies")
    @classmethod
    def _new_forms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(codes.agency(one).normal for one in value)

    @model_validator(mode="after")
    def _fits_the_schema(self) -> Mapping:
        if self.type not in families.BY_PUBLISHED:
            raise ValueError(f"type {self.type!r} is none of {', '.join(families.BY_PUBLISHED)}")
        for field in (*self.columns.values(), *self.words, *self.constants, *self.required):
            if field not in self.targets:
                raise ValueError(f"{self.record} has no field {field!r} that a column can fill")
        twice = {f for f in self.columns.values() if list(self.columns.values()).count(f) > 1}
        if twice:
            raise ValueError(f"more than one column fills {', '.join(sorted(twice))}")
        given = {*self.columns.values(), *self.constants}
        for field, target in self.targets.items():
            if target.needed and "." not in field and field not in given:
                raise ValueError(f"no column and no constant fills {field}, which every {self.record} needs")
        for field, words in self.words.items():
            wrong = [v for v in words.values() if self.targets[field].symbols and v not in self.targets[field].symbols]
            if wrong:
                raise ValueError(f"words.{field}: {wrong[0]!r} is none of {', '.join(self.targets[field].symbols)}")
        return self

    @cached_property
    def record(self) -> str:
        return families.BY_PUBLISHED[self.type].published_record

    @cached_property
    def subject(self) -> str:
        return families.BY_PUBLISHED[self.type].code

    @cached_property
    def targets(self) -> dict[str, Target]:
        return record_fields(self.record)


def load(path: Path) -> Mapping:
    """Reads and checks a mapping; ConfigError names file and key."""
    try:
        return Mapping.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    except BadRecord as error:
        raise ConfigError(f"{path}: agencies", error.detail) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(p) for p in first["loc"])
        raise ConfigError(f"{path}: {key}" if key else str(path), first["msg"].removeprefix("Value error, ")) from None
