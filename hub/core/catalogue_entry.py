"""A procedure or an online service at work: its facts merged in event time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from librt.strings import BytesWriter
from msgspec.structs import replace

from hub.avro.codec import Codec, head
from hub.avro.record import Body
from hub.avro.records.procedure import ProcedureChange
from hub.avro.records.service import ServiceChange
from hub.avro.writer import put_boolean, put_long
from hub.control import rights
from hub.core.key_state import Incoming, KeyState, check_size
from hub.errors import BadRecord
from hub.events.families import Family
from hub.model import catalogue
from hub.model.catalogue import Entry
from hub.model.facts import pack_keys, unpack_all
from hub.stream.stage import Stored


class CatalogueState(KeyState[ProcedureChange | ServiceChange], Generic[Entry]):
    """fresh: the entry before the first change. keys: see `hub.model.catalogue.merge`. owner: the organisation that
    published it, as long as no agency stands in it."""

    __slots__ = ("entry", "family", "keys", "owner", "record")

    def __init__(self, family: Family, codec: Codec, body: Body[Entry], fresh: Entry, stored: Stored | None) -> None:
        found = {} if stored is None else dict(stored.headers)
        super().__init__(head(codec.ids[body.name]), found)
        self.record: Body[Entry] = body
        self.family = family
        self.entry: Entry = fresh if stored is None else codec.read(body, stored.value)
        self.keys: Sequence[int] = () if stored is None else unpack_all(found["facts"])
        self.owner = found.get("owner", b"").decode()

    def check_sender(self, agencies: list[str], sender: str) -> None:
        """The owner of what stands here decides; who has the right to all agencies may do anything."""
        if self.seq == 0 or rights.EVERYTHING in agencies:
            return
        standing = self.entry.agency_code
        if standing:
            if not rights.covers(agencies, standing):
                raise BadRecord(
                    "right", f"the entry is of agency {standing}, to which {sender} has no right", "agency_code"
                )
        elif not self.owner or self.owner != sender:
            of = self.owner or "an organisation that an older version did not note"
            raise BadRecord(
                "right", f"the entry names no agency and is of {of}; {sender} may not change it; whoever has the right "
                "to all agencies may send its agency_code", "agency_code",
            )  # fmt: skip

    def apply(self, published: ProcedureChange | ServiceChange, body: bytes, incoming: Incoming) -> bytes:
        key = catalogue.order_key(published.occurred_at, published.change, incoming.low())
        merged, keys, late = catalogue.merge(self.entry, self.keys, published, key, self.family.catalogue_fields)
        entry = replace(merged, hub_seq=self.seq + 1)
        state = self.record.write(entry)
        out = BytesWriter()
        put_long(out, self.seq + 1)
        put_boolean(out, late)
        out.write(body)
        out.write(state)
        event = out.getvalue()
        check_size(len(event), len(state) + len(self.ring) + 8 * len(keys), incoming.overhead)
        if entry.agency_code:
            self.owner = ""
        elif self.seq == 0:
            self.owner = incoming.sender
        self.entry, self.keys = entry, keys
        self.accept(state, incoming)
        return event

    def headers(self) -> list[tuple[str, bytes]]:
        facts = ("facts", pack_keys(self.keys))
        return [facts, ("owner", self.owner.encode())] if self.owner else [facts]
