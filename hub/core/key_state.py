"""What the core holds of one key while a chunk is worked: parsed once, changed by each event, written back once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from hub.avro.own_record import OwnRecord
from hub.core import dedupe
from hub.errors import BadRecord
from hub.events.envelope import HUB_SEQ
from hub.kafka.topics import RECORD_LIMIT
from hub.stream.stage import Stored

Datum = dict[str, Any]

HEADROOM = 4_096
"""Bytes of a record left for its framing and the headers that the hub adds."""


def header(stored: Stored, name: str) -> bytes:
    """KeyError if the state was written by another program."""
    for own, value in stored.headers:
        if own == name:
            return value
    raise KeyError(name)


def version(stored: Stored) -> int:
    """The hub_seq of a state record."""
    return int(header(stored, HUB_SEQ))


class Incoming(NamedTuple):
    """who, what: hashes of the event's identity and content. overhead: bytes of headers on top of its value."""

    who: bytes
    what: bytes
    overhead: int


class KeyState(ABC):
    """One dossier, procedure or service. `seq` events were accepted; `ring` knows the last of them."""

    __slots__ = ("body", "changed", "record", "ring", "seq")

    def __init__(self, record: OwnRecord, stored: Stored | None) -> None:
        self.record = record
        self.seq = version(stored) if stored else 0
        self.ring = header(stored, "ring") if stored else b""
        self.body = b""
        self.changed = False

    def is_copy(self, incoming: Incoming) -> bool:
        """Whether this very event was accepted before. BadRecord (`conflict`): its id, with other content."""
        known = dedupe.find(self.ring, incoming.who)
        if known is None:
            return False
        if known != incoming.what:
            raise BadRecord(
                "conflict", "an event with this source and id was accepted with other content; give it a new id", "id"
            )
        return True

    @abstractmethod
    def apply(self, datum: Datum, datum_body: bytes, incoming: Incoming) -> bytes:
        """Take the event in: judge it, merge it, number it. Returns the canonical event's Avro body.

        datum_body: the datum as Avro. BadRecord (`transition`, `limit`) leaves everything as it was.
        """

    def remember(self, value: bytes, places: Sequence[int]) -> None:  # noqa: B027 - most have no use for it
        """What was applied just now stands in `value`, in wire format, just as it came; `places`: of its marks."""

    @abstractmethod
    def headers(self) -> list[tuple[str, bytes]]:
        """Of the state record, besides those of every family."""

    def state(self) -> Stored:
        """The state record after the last event; what only the core needs is in its headers."""
        headers = [(HUB_SEQ, str(self.seq).encode()), ("ring", self.ring), *self.headers()]
        return Stored(self.record.with_head(self.body), headers)

    def accept(self, body: bytes, incoming: Incoming) -> None:
        """Count the event as taken in; `body` is the state after it."""
        self.body = body
        self.seq += 1
        self.ring = dedupe.added(self.ring, incoming.who, incoming.what)
        self.changed = True


def check_size(event_bytes: int, state_bytes: int, overhead: int) -> None:
    """BadRecord (`limit`) if the event, or the state it leads to, would be more than the topics take."""
    room = RECORD_LIMIT - HEADROOM
    if event_bytes + overhead > room or state_bytes > room:
        raise BadRecord(
            "limit",
            f"the event would be {event_bytes + overhead} bytes and the state {state_bytes}; at most {room} each; "
            "send files as links",
        )
