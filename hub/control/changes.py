"""Changes of control records, by compare-and-set: whoever was slower is told what changed meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from hub.avro.free_text import masked
from hub.config import Settings
from hub.control import key_ring, secrets
from hub.control.audit import AuditEntry, line_of
from hub.control.claim import Line, commit
from hub.control.directory import Directory
from hub.control.records import KINDS, Record, Subscriber
from hub.control.vault import has_clear, is_sealed, vault
from hub.errors import Refused
from hub.kafka.topics import CONTROL

R = TypeVar("R", bound=Record)
SHOWN_CHARS = 80
HIDDEN_FIELDS = ("key_hashes", "key_until")


class Any_(Enum):
    """Whatever stands there."""

    ANY = "any"


ANY: Final = Any_.ANY


@dataclass(frozen=True, slots=True)
class Change(Generic[R]):
    """From `expected` to `new`, of the record of that kind and name; None: there is none. expected ANY: whatever."""

    kind: type[R]
    name: str
    expected: R | Any_ | None
    new: R | None


class ChangedMeanwhile(Refused):
    """Somebody else was quicker. fields: name -> (as it was expected, as it is now), personal and secret values hidden.

    An empty `fields`: the record is there now, or is gone.
    """

    def __init__(self, what: str, name: str, fields: dict[str, tuple[str, str]], now_there: bool) -> None:
        told = "; ".join(f"{field}: {old} -> {new}" for field, (old, new) in fields.items())
        if not told:
            told = "it is there now" if now_there else "it was removed"
        super().__init__(f"{what} {name!r} was changed meanwhile by somebody else: {told}; look at it and do it again")
        self.what, self.name, self.fields = what, name, fields


async def change(settings: Settings, *changes: Change[Any], entry: AuditEntry | None = None) -> None:
    """All of the changes or none, together with the audit entry that tells of them.

    ChangedMeanwhile: a record is not what was expected. ConfigError: the hub's key for secrets is not here. Else as
    `claim.commit`.
    """

    def lines(present: Directory) -> Sequence[Line]:
        for one in changes:
            _compare(present, one)
        written = [_line(settings, present, one) for one in changes]
        return [*written, *([] if entry is None else [line_of(entry)])]

    await commit(settings, lines)


async def write(settings: Settings, *records: Record | tuple[type[Record], str]) -> None:
    """Writes records, or removes (model, name) pairs, whatever stands there: for their only owner, and for setups."""
    await change(
        settings,
        *(
            Change(one[0], one[1], ANY, None) if isinstance(one, tuple) else Change(type(one), one.key, ANY, one)
            for one in records
        ),
    )


def revision(record: Record) -> str:
    """What tells one state of a record from the next one, for callers that cannot hold the record itself (ETag)."""
    return hashlib.sha256(json.dumps(record.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:16]


def kind_of(model: type[Record]) -> str:
    return next(kind for kind, known in KINDS.items() if known is model)


def differences(old: Record, new: Record) -> dict[str, tuple[str, str]]:
    """Field -> (old, new), as people may see it."""
    fields = type(old).model_fields
    return {name: pair for name in fields if (pair := _pair(old, new, name)) is not None}


def _pair(old: Record, new: Record, field: str) -> tuple[str, str] | None:
    if getattr(old, field) == getattr(new, field):
        return None
    if field in HIDDEN_FIELDS:
        return "(hidden)", "(hidden, another one)"
    if field == "secrets":
        names = [name for name in getattr(new, field) if getattr(old, field).get(name) != getattr(new, field)[name]]
        return _names(getattr(old, field)), f"{_names(getattr(new, field))} (new: {', '.join(sorted(names)) or 'none'})"
    return _shown(old, field), _shown(new, field)


def _names(given: dict[str, str]) -> str:
    return ", ".join(sorted(secrets.masked(given))) or "none"


def _shown(record: Record, field: str) -> str:
    text = json.dumps(record.model_dump(mode="json", include={field})[field], ensure_ascii=False)
    text = masked(text)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def _compare(present: Directory, one: Change[Any]) -> None:
    if one.expected is ANY:
        return
    now = present.all(one.kind).get(one.name)
    if now == one.expected:
        return
    fields = differences(one.expected, now) if one.expected is not None and now is not None else {}
    raise ChangedMeanwhile(kind_of(one.kind), one.name, fields, now is not None)


def _line(settings: Settings, present: Directory, one: Change[Any]) -> Line:
    key = f"{kind_of(one.kind)}/{one.name}".encode()
    if one.new is None:
        return Line(CONTROL, key, None)
    record = _sealed(settings, present.subscribers.values(), one.new) if isinstance(one.new, Subscriber) else one.new
    return Line(CONTROL, key, record.model_dump_json().encode())


def _sealed(settings: Settings, others: Iterable[Subscriber], subscriber: Subscriber) -> Subscriber:
    """Nothing stands in clear. The first secret makes the key; where others were sealed before, the key must be brought
    here instead."""
    if not has_clear(subscriber.secrets):
        return subscriber
    keeper = vault(settings)
    if not keeper.keys() and not any(is_sealed(value) for one in others for value in one.secrets.values()):
        key_ring.create(keeper.key_file)
    return subscriber.model_copy(update={"secrets": keeper.sealed(subscriber.name, subscriber.secrets)})
