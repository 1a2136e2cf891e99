"""The registry's memory, rebuilt from `_schemas`: subjects, versions, ids, levels and modes. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hub.avro.schema_text import Node, SchemaError, named_types, parse_text
from hub.registry.schema_log import Reference, Version, load
from hub.registry.server import errors
from hub.untyped import JsonObject

log = logging.getLogger(__name__)

DEFAULT_LEVEL = "BACKWARD"
DEFAULT_MODE = "READWRITE"


@dataclass
class State:
    """subjects: subject -> version -> Version, softly deleted ones included. levels, modes: None is the global one."""

    subjects: dict[str, dict[int, Version]] = field(default_factory=dict)
    levels: dict[str | None, str] = field(default_factory=dict)
    modes: dict[str | None, str] = field(default_factory=dict)
    max_id: int = 0
    next_offset: int = 0

    # --- changes: only records of the topic change it ---------------------------------------------------------------

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """One record. One that cannot be read is logged and left out: it must not keep the registry from starting."""
        try:
            k, v = load(key), load(value)
            if k is not None:
                self._apply(k, v)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("a record of _schemas before offset %d is unreadable: %r", self.next_offset, error)

    def _apply(self, key: JsonObject, value: JsonObject | None) -> None:
        match key.get("keytype"):
            case "SCHEMA":
                self._schema(str(key["subject"]), int(key["version"]), value)
            case "DELETE_SUBJECT" if value is not None:
                versions = self.subjects.get(str(key["subject"]), {})
                for number in [n for n in versions if n <= int(value["version"])]:
                    versions[number] = replace(versions[number], deleted=True)
            case "CONFIG":
                _set(self.levels, key.get("subject"), (value or {}).get("compatibilityLevel"))
            case "MODE":
                _set(self.modes, key.get("subject"), (value or {}).get("mode"))

    def _schema(self, subject: str, number: int, value: JsonObject | None) -> None:
        if value is None:
            versions = self.subjects.get(subject, {})
            versions.pop(number, None)
            if not versions:
                self.subjects.pop(subject, None)
            return
        version = Version.of(value)
        self.subjects.setdefault(subject, {})[number] = version
        self.max_id = max(self.max_id, version.id)

    # --- questions ---------------------------------------------------------------------------------------------------

    def versions(self, subject: str, deleted: bool = False) -> list[Version]:
        """Oldest first; empty if the subject is unknown."""
        found = sorted(self.subjects.get(subject, {}).values(), key=lambda v: v.version)
        return [v for v in found if deleted or not v.deleted]

    def all(self, deleted: bool = True) -> Iterable[Version]:
        for subject in sorted(self.subjects):
            yield from self.versions(subject, deleted)

    def require(self, subject: str, deleted: bool = False) -> list[Version]:
        found = self.versions(subject, deleted)
        if not found:
            raise errors.subject_not_found(subject)
        return found

    def get(self, subject: str, number: int, deleted: bool = False) -> Version:
        """number -1: the latest. 40401 or 40402."""
        found = self.require(subject, deleted)
        if number == -1:
            return found[-1]
        for version in found:
            if version.version == number:
                return version
        raise errors.version_not_found(number)

    def with_id(self, schema_id: int) -> list[Version]:
        """All subject-versions with this id, softly deleted ones included; 40403 if there is none."""
        found = [v for v in self.all() if v.id == schema_id]
        if not found:
            raise errors.schema_not_found(schema_id)
        return found

    def same(self, schema: str, references: tuple[Reference, ...], subject: str | None = None) -> list[Version]:
        """Live versions of the subject (or any version of any subject) with exactly this schema, newest last."""
        among = self.all() if subject is None else self.versions(subject)
        return [v for v in among if v.schema == schema and v.references == references]

    def referenced_by(self, subject: str, number: int, deleted: bool = False) -> list[Version]:
        return [v for v in self.all(deleted) if any(r.subject == subject and r.version == number for r in v.references)]

    def level(self, subject: str) -> str:
        return self.levels.get(subject) or self.levels.get(None) or DEFAULT_LEVEL

    def mode(self, subject: str | None) -> str:
        """A global READONLY_OVERRIDE beats the subjects' own modes."""
        overall = self.modes.get(None, DEFAULT_MODE)
        return overall if overall == "READONLY_OVERRIDE" else self.modes.get(subject, overall)

    def parse(self, schema: str, references: tuple[Reference, ...]) -> Node:
        """The tree with its references resolved; 42201 if a reference is unknown or the schema invalid."""
        known: dict[str, Node] = {}
        try:
            for reference in references:
                found = self.subjects.get(reference.subject, {}).get(reference.version)
                if found is None:
                    raise SchemaError(
                        f"no schema reference found for subject {reference.subject!r} and version {reference.version}"
                    )
                known |= named_types(self.parse(found.schema, found.references))
            return parse_text(schema, known)
        except SchemaError as error:
            raise errors.invalid_schema(str(error)) from None


def _set(table: dict[str | None, str], subject: str | None, value: str | None) -> None:
    if value is None:
        table.pop(subject, None)
    else:
        table[subject] = value
