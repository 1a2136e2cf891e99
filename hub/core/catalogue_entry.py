"""A procedure or an online service at work: its facts merged in event time."""

from __future__ import annotations

from hub.avro.body_writer import long_bytes
from hub.avro.own_record import OwnRecord
from hub.core.key_state import Datum, Incoming, KeyState, check_size, header
from hub.events.families import Family
from hub.model import catalogue
from hub.model.facts import pack_keys, unpack_all
from hub.stream.stage import Stored

_LATE_AVRO = (b"\x00", b"\x01")


class CatalogueState(KeyState):
    """keys: see `hub.model.catalogue.merge`."""

    __slots__ = ("datum", "family", "keys")

    def __init__(self, family: Family, code: str, record: OwnRecord, stored: Stored | None) -> None:
        super().__init__(record, stored)
        self.family = family
        if stored is None:
            # What was never published or withdrawn, only amended, is taken to be offered.
            self.datum: Datum = {family.code: code, "active": True}
            self.keys: tuple[int, ...] | list[int] = ()
        else:
            self.datum = record.decode(stored.value)
            self.keys = unpack_all(header(stored, "facts"))

    def apply(self, datum: Datum, datum_body: bytes, incoming: Incoming) -> bytes:
        low = int.from_bytes(incoming.who[:2], "big")
        key = catalogue.order_key(datum["occurred_at"], datum["change"], low)
        entry, keys, late = catalogue.merge(self.datum, self.keys, datum, key, self.family.catalogue_fields)
        entry["hub_seq"] = self.seq + 1
        body = self.record.write(entry)
        event = b"".join((long_bytes(self.seq + 1), _LATE_AVRO[late], datum_body, body))
        check_size(len(event), len(body) + len(self.ring) + 8 * len(keys), incoming.overhead)
        self.datum, self.keys = entry, keys
        self.accept(body, incoming)
        return event

    def headers(self) -> list[tuple[str, bytes]]:
        return [("facts", pack_keys(self.keys))]
