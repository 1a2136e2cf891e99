"""What the registry does: register, look up, delete, configure. Rules of Confluent's registry, without HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hub.avro.compatibility import LEVELS, check
from hub.avro.schema_text import Node, SchemaError, canonical_text, load
from hub.registry.schema_log import Reference, Version, dump, schema_key, subject_key
from hub.registry.server import errors
from hub.registry.server.state import State

MODES = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT")
MAX_RECORD_BYTES = 1_000_000
"""Just under the topic's limit of 1 MiB."""


class Log(Protocol):
    """Where changes are made durable: hub.registry.server.store.Store."""

    state: State

    async def prepare(self, what: str) -> None: ...

    async def write(self, what: str, records: list[tuple[bytes, bytes | None]]) -> None: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schema as a client sends it, checked: canonical text, references, tree; id and version only for IMPORT."""

    schema: str
    references: tuple[Reference, ...]
    node: Node
    id: int | None = None
    version: int | None = None


class Registry:
    """One change at a time: each waits until the one before has been read back."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._one_at_a_time = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def _change(self, what: str) -> AsyncIterator[None]:
        """Decide and write inside: nothing else is decided meanwhile, and the state is the topic's."""
        async with self._one_at_a_time:
            await self._log.prepare(what)
            yield

    @property
    def state(self) -> State:
        return self._log.state

    def candidate(self, body: Mapping[str, Any]) -> Candidate:
        """From a request body; 42201 if it is no valid Avro schema."""
        kind = body.get("schemaType") or "AVRO"
        if kind != "AVRO":
            raise errors.invalid_schema(f"Invalid schema type {kind}; this registry holds AVRO")
        text = body.get("schema")
        if not isinstance(text, str) or not text.strip():
            raise errors.invalid_schema("Empty schema")
        try:
            references = tuple(
                Reference(str(r["name"]), str(r["subject"]), int(r["version"])) for r in body.get("references") or ()
            )
            node = self.state.parse(text, references)
            schema = canonical_text(load(text))
            return Candidate(schema, references, node, _number(body.get("id")), _number(body.get("version")))
        except (SchemaError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise errors.invalid_schema(str(error)) from None

    def incompatibilities(self, candidate: Candidate, subject: str, against: list[Version]) -> list[str]:
        """Messages, newest offending version first; empty: compatible at the subject's level."""
        level = self.state.level(subject)
        old = [self.state.parse(v.schema, v.references) for v in against]
        found = [str(difference) for difference in check(level, candidate.node, old)]
        return [*found, f"{{compatibility: '{level}'}}"] if found else []

    async def register(self, subject: str, body: Mapping[str, Any]) -> int:
        """The schema's id, new or known. 409 incompatible, 42201 invalid, 42205 mode."""
        candidate = self.candidate(body)
        async with self._change("Register schema"):
            mode = self._writable(subject)
            known = self.state.same(candidate.schema, candidate.references, subject)
            if known and mode != "IMPORT":
                return known[-1].id
            if mode == "IMPORT":
                version = self._imported(subject, candidate)
            elif candidate.id is not None:
                raise errors.not_permitted(f"Subject {subject} is not in import mode")
            else:
                version = self._next(subject, candidate)
            value = dump(version.value())
            if len(value) > MAX_RECORD_BYTES:
                raise errors.schema_too_large()
            await self._log.write("Register schema", [(schema_key(subject, version.version), value)])
            return version.id

    def _next(self, subject: str, candidate: Candidate) -> Version:
        details = self.incompatibilities(candidate, subject, self.state.versions(subject))
        if details:
            raise errors.incompatible(subject, details)
        elsewhere = self.state.same(candidate.schema, candidate.references)
        schema_id = elsewhere[0].id if elsewhere else self.state.max_id + 1
        number = max(self.state.subjects.get(subject, {}), default=0) + 1
        return Version(subject, number, schema_id, candidate.schema, references=candidate.references)

    def _imported(self, subject: str, candidate: Candidate) -> Version:
        """IMPORT: the client says which id (and version); nothing is checked but that the id is free or the same."""
        if candidate.id is None:
            raise errors.not_permitted(f"Subject {subject} is in import mode: an id is needed")
        for taken in self.state.all():
            if taken.id == candidate.id and taken.schema != candidate.schema:
                raise errors.not_permitted(f"Overwrite new schema with id {candidate.id} is not permitted.")
        number = candidate.version or max(self.state.subjects.get(subject, {}), default=0) + 1
        return Version(subject, number, candidate.id, candidate.schema, references=candidate.references)

    def find(self, subject: str, body: Mapping[str, Any], deleted: bool) -> Version:
        """Is this schema registered under the subject? 40401, 40403."""
        candidate = self.candidate(body)
        for version in reversed(self.state.require(subject, deleted)):
            if (version.schema, version.references) == (candidate.schema, candidate.references):
                return version
        raise errors.schema_not_found()

    async def delete_subject(self, subject: str, permanent: bool) -> list[int]:
        """Versions deleted: softly (still readable by id), or for good what was deleted softly before."""
        async with self._change("Delete subject"):
            self._writable(subject)
            everything = self.state.require(subject, deleted=True)
            doomed = everything if permanent else self.state.versions(subject)
            if not doomed:
                raise errors.subject_soft_deleted(subject)
            for version in doomed:
                self._unreferenced(version, permanent)
                if permanent and not version.deleted:
                    raise errors.subject_not_soft_deleted(subject)
            numbers = [v.version for v in doomed]
            records: list[tuple[bytes, bytes | None]] = [(schema_key(subject, n), None) for n in reversed(numbers)]
            if not permanent:
                value = dump({"subject": subject, "version": numbers[-1]})
                records = [(subject_key("DELETE_SUBJECT", subject), value)]
            else:
                records += [(subject_key("CONFIG", subject), None)] if subject in self.state.levels else []
                records += [(subject_key("MODE", subject), None)] if subject in self.state.modes else []
            await self._log.write("Delete subject", records)
            return numbers

    async def delete_version(self, subject: str, number: int, permanent: bool) -> int:
        async with self._change("Delete schema version"):
            self._writable(subject)
            version = self.state.get(subject, number, deleted=number != -1)
            if version.deleted and not permanent:
                raise errors.version_soft_deleted(subject, version.version)
            if permanent and not version.deleted:
                raise errors.version_not_soft_deleted(subject, version.version)
            self._unreferenced(version, permanent)
            value = None if permanent else dump(replace(version, deleted=True).value())
            await self._log.write("Delete schema version", [(schema_key(subject, version.version), value)])
            return version.version

    def _unreferenced(self, version: Version, permanent: bool) -> None:
        users = self.state.referenced_by(version.subject, version.version, deleted=permanent)
        if any(user.subject != version.subject for user in users):
            raise errors.reference_exists(version.subject, version.version)

    def _writable(self, subject: str) -> str:
        mode = self.state.mode(subject)
        if mode.startswith("READONLY"):
            raise errors.not_permitted(f"Subject {subject} is in read-only mode")
        return mode

    async def set_level(self, subject: str | None, level: object) -> str:
        """42203. Returns the level as written."""
        wanted = str(level).upper()
        if wanted not in LEVELS:
            raise errors.invalid_level()
        async with self._change("Update config"):
            if subject is not None:
                self._writable(subject)
            await self._write_setting("CONFIG", "Update config", subject, {"compatibilityLevel": wanted})
        return wanted

    async def set_mode(self, subject: str | None, mode: object, force: bool) -> str:
        """42204; 42205 for IMPORT while schemas are there, unless forced."""
        wanted = str(mode).upper()
        if wanted not in MODES:
            raise errors.invalid_mode()
        async with self._change("Update mode"):
            occupied = self.state.versions(subject) if subject else any(True for _ in self.state.all(deleted=False))
            if wanted == "IMPORT" and occupied and not force:
                raise errors.not_permitted("Cannot import since found existing subjects")
            await self._write_setting("MODE", "Update mode", subject, {"mode": wanted})
        return wanted

    async def unset(self, keytype: str, subject: str | None) -> None:
        """Back to the default, or to the global setting."""
        async with self._change(f"Delete {keytype.lower()}"):
            await self._log.write(f"Delete {keytype.lower()}", [(subject_key(keytype, subject), None)])

    async def _write_setting(self, keytype: str, what: str, subject: str | None, value: dict[str, str]) -> None:
        named = {"subject": subject, **value} if subject else value
        await self._log.write(what, [(subject_key(keytype, subject), dump(named))])


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
