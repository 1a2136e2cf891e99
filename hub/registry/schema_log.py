"""The `_schemas` topic in the public record format: how a registry's memory reads, and a read-only copy of it.

Key and value are compact JSON in a fixed property order, as Confluent's registry writes them, so that another registry
can take the topic over. Keys: `{"keytype":"SCHEMA","subject":…,"version":…,"magic":1}`, and with magic 0 `CONFIG`,
`MODE`, `DELETE_SUBJECT`, `NOOP`.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

from aiokafka import TopicPartition

from hub.avro.schema_text import canonical_text
from hub.config import Settings
from hub.errors import RegistryError
from hub.kafka.log_faults import LogCut, TopicError
from hub.kafka.tail import opened
from hub.kafka.topics import SCHEMAS
from hub.untyped import JsonObject

PARTITION = TopicPartition(SCHEMAS, 0)
READ_S = 20.0
"""Longest read of the topic; it holds hundreds of records, not millions."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A named type that another subject's version defines."""

    name: str
    subject: str
    version: int

    def json(self) -> JsonObject:
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a subject. `deleted`: softly, still readable by id."""

    subject: str
    version: int
    id: int
    schema: str
    schema_type: str = "AVRO"
    references: tuple[Reference, ...] = ()
    deleted: bool = False

    @staticmethod
    def of(value: JsonObject) -> Version:
        """From a SCHEMA record's value. KeyError/TypeError/ValueError if it is none."""
        references = tuple(
            Reference(str(r["name"]), str(r["subject"]), int(r["version"])) for r in value.get("references") or ()
        )
        return Version(
            str(value["subject"]), int(value["version"]), int(value["id"]), str(value["schema"]),
            str(value.get("schemaType") or "AVRO"), references, bool(value.get("deleted", False)),
        )  # fmt: skip

    def value(self) -> JsonObject:
        """The SCHEMA record's value; type and references are left out where they are the default."""
        out: JsonObject = {"subject": self.subject, "version": self.version, "id": self.id}
        if self.schema_type != "AVRO":
            out["schemaType"] = self.schema_type
        if self.references:
            out["references"] = [r.json() for r in self.references]
        return out | {"schema": self.schema, "deleted": self.deleted}


def dump(value: Any) -> bytes:
    """Compact JSON, property order as given, Unicode as itself."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def schema_key(subject: str, version: int) -> bytes:
    return dump({"keytype": "SCHEMA", "subject": subject, "version": version, "magic": 1})


def subject_key(keytype: str, subject: str | None) -> bytes:
    """CONFIG and MODE (subject None: the global one, and no such property), DELETE_SUBJECT."""
    return dump({"keytype": keytype, **({"subject": subject} if subject else {}), "magic": 0})


NOOP_KEY = dump({"keytype": "NOOP", "magic": 0})


def load(data: bytes | None) -> JsonObject | None:
    """A key or value as an object; None for none at all. ValueError if it is no JSON object."""
    if data is None:
        return None
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


@dataclass
class SchemaCopy:
    """What a reader needs of the topic: schemas by id and the live versions of each subject.

    next_offset: where to go on reading. versions: (subject, version) -> Version, softly deleted ones included.
    """

    next_offset: int = 0
    by_id: dict[int, Version] = field(default_factory=dict)
    versions: dict[tuple[str, int], Version] = field(default_factory=dict)

    def put(self, version: Version) -> None:
        self.by_id[version.id] = version
        self.versions[version.subject, version.version] = version

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """One record. What is no SCHEMA record, or unreadable, changes nothing: a copy must not stop a role."""
        try:
            k, v = load(key), load(value)
            keytype = k.get("keytype") if k else None
            if k and keytype == "SCHEMA":
                if v is not None:
                    self.put(Version.of(v))
                else:
                    self.versions.pop((str(k["subject"]), int(k["version"])), None)
            elif k and v and keytype == "DELETE_SUBJECT":
                for at, version in list(self.versions.items()):
                    if at[0] == k["subject"] and at[1] <= int(v["version"]):
                        self.versions[at] = replace(version, deleted=True)
        except (ValueError, KeyError, TypeError):
            return

    def ids_of(self, schemas: JsonObject) -> dict[str, int]:
        """subject -> id of the live version whose schema is `schemas[subject]` (JSON); absent if none is."""
        wanted = {subject: canonical_text(schema) for subject, schema in schemas.items()}
        return {
            v.subject: v.id
            for v in self.versions.values()
            if not v.deleted and v.subject in wanted and _canonical(v.schema) == wanted[v.subject]
        }


def _canonical(text: str) -> str:
    try:
        return canonical_text(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


async def read(settings: Settings, copy: SchemaCopy, timeout: float = READ_S) -> bool:
    """Read the topic from `copy.next_offset` to its present end into `copy`; False if there is no such topic.

    RegistryError when the broker is away or the read takes longer than `timeout` seconds.
    """
    try:
        async with asyncio.timeout(timeout), opened(settings, patience_s=timeout) as tail:
            if not await tail.partitions(SCHEMAS, missing_ok=True):
                return False
            first, end = (await tail.beginnings([PARTITION]))[PARTITION], (await tail.ends([PARTITION]))[PARTITION]
            if end < copy.next_offset:
                raise LogCut(PARTITION, copy.next_offset, end)
            tail.begin({PARTITION: max(first, copy.next_offset)})
            async for _, records in tail.to_end({PARTITION: end}):
                for record in records:
                    copy.apply(record.key, record.value)
            copy.next_offset = max(copy.next_offset, end)
            return True
    except TimeoutError as error:
        raise RegistryError(f"{SCHEMAS} could not be read to its end within {timeout:.0f} s") from error
    except TopicError as error:
        raise RegistryError(f"cannot read {SCHEMAS} on {settings.bootstrap}: {error}") from error
