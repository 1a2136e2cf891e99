"""From a record as read to what waits in a lane (cheap), and to what a portal gets (decoded, only when it is tried)."""

from __future__ import annotations

from datetime import datetime

from msgspec import structs

from hub.avro.bodies import BODIES, DELIVERY
from hub.avro.codec import Codec
from hub.avro.records import Delivery
from hub.connect.portal import Item
from hub.control import subscriber_filter
from hub.control.records import Filter
from hub.delivery.entries import Entry, Raw
from hub.delivery.snapshot import snapshot
from hub.errors import BadRecord
from hub.events.canonical import EVENT_BODIES, CanonicalRecord, State
from hub.events.envelope import Envelope, read_headers
from hub.events.families import BY_STATE_TOPIC, BY_TYPE


class Decoder:
    """Records of hub.events are events; records of a state topic become a snapshot event (backfill)."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def due_entry(self, raw: Raw, wanted: Filter, families: tuple[str, ...]) -> Entry | None:
        """The entry, or None if it is not due to a portal that takes these families.

        BadRecord: it is no canonical event or state.
        """
        if raw.topic in BY_STATE_TOPIC:
            item = self.item(raw)
            if not subscriber_filter.due(wanted, item.envelope.type, item.data):
                return None
            return self._entry(raw, item.envelope)
        envelope = read_headers(raw.headers)
        if envelope.type not in BY_TYPE:
            raise BadRecord("envelope", f"type {envelope.type} is no canonical event", "type")
        if BY_TYPE[envelope.type].name not in families:
            return None
        if any((wanted.agencies, wanted.procedures, wanted.types)):
            data = self._codec.read(EVENT_BODIES[envelope.type], raw.value)
            if not subscriber_filter.due(wanted, envelope.type, data):
                return None
        return self._entry(raw, envelope)

    def item(self, raw: Raw, newest: State | None = None) -> Item:
        """What the portal gets. `newest`: a later state of the same code, put in the place of the event's own."""
        data: CanonicalRecord
        if raw.topic in BY_STATE_TOPIC:
            family = BY_STATE_TOPIC[raw.topic]
            state: State = self._codec.read(BODIES[family.state_record], raw.value)
            envelope, data, value = snapshot(self._codec, family, state)
        else:
            envelope = read_headers(raw.headers)
            data, value = self._codec.read(EVENT_BODIES[envelope.type], raw.value), raw.value or b""
        event = BY_TYPE[envelope.type]
        if newest is not None:
            data = structs.replace(data, **{event.state: newest})
            value = self._codec.write(EVENT_BODIES[event.type], data)
        return Item(envelope, event.name, data, value, raw.partition, raw.offset)

    def receipt(self, value: bytes | None) -> Delivery:
        """A record of hub.deliveries."""
        return self._codec.read(DELIVERY, value)

    def _entry(self, raw: Raw, envelope: Envelope) -> Entry:
        return Entry(
            raw.key.decode() if raw.key else envelope.subject,
            envelope.id,
            envelope.hub_seq,
            BY_TYPE[envelope.type].name,
            raw.topic,
            raw.partition,
            raw.offset,
            _epoch_ms(envelope.recordedtime) or raw.timestamp_ms,
            record=raw,
        )


def _epoch_ms(rfc3339: str) -> int:
    try:
        return round(datetime.fromisoformat(rfc3339).timestamp() * 1000)
    except ValueError:
        return 0
