"""What the core holds of one key while a chunk is worked: parsed once, changed by each event, written back once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from hub.avro.record import Record as AvroRecord
from hub.core import dedupe
from hub.errors import BadRecord
from hub.events.envelope import HUB_SEQ
from hub.kafka.topics import RECORD_LIMIT
from hub.stream.stage import Stored

HEADROOM: Final = 4_096
"""Bytes of a record left for its framing and the headers that the hub adds."""

P = TypeVar("P", bound=AvroRecord, contravariant=True)
"""What agencies publish of this family."""


def version(stored: Stored) -> int:
    """The hub_seq of a state record. KeyError if it was written by another program."""
    for name, value in stored.headers:
        if name == HUB_SEQ:
            return int(value)
    raise KeyError(HUB_SEQ)


class Incoming(NamedTuple):
    """who, what: hashes of the event's identity and content. overhead: bytes of headers on top of its value. sender:
    the organisation that sent it, where the door told of its rights."""

    who: bytes
    what: bytes
    overhead: int
    sender: str = ""

    def low(self) -> int:
        """What orders it among events of the same kind and moment."""
        return self.who[0] << 8 | self.who[1]


class KeyState(ABC, Generic[P]):
    """One dossier, procedure or service. `seq` events were accepted; `ring` knows the last of them.

    head: of the state's wire format. found: headers of the state as stored, empty for a new key. body: the state as it
    is, once an event was accepted. KeyError if the state was written by another program."""

    __slots__ = ("body", "changed", "head", "ring", "seq")

    def __init__(self, head: bytes, found: Mapping[str, bytes]) -> None:
        self.head = head
        self.seq = int(found[HUB_SEQ]) if found else 0
        self.ring = found["ring"] if found else b""
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
    def apply(self, published: P, body: bytes, incoming: Incoming) -> bytes:
        """Take the event in: judge it, merge it, number it. Returns the canonical event's Avro body.

        body: what was published, as Avro. BadRecord (`transition`, `limit`) leaves everything as it was.
        """

    @abstractmethod
    def check_sender(self, agencies: list[str], sender: str) -> None:
        """BadRecord (`right`): whoever has the right to these agencies may not say this of what stands here."""

    @abstractmethod
    def headers(self) -> list[tuple[str, bytes]]:
        """Headers of the state record that only this family has."""

    def state(self) -> Stored:
        """The state record after the last event; what only the core needs is in its headers."""
        headers = [(HUB_SEQ, str(self.seq).encode()), ("ring", self.ring), *self.headers()]
        return Stored(self.head + self.body, headers)

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
