"""Which dossiers of a subscriber wait, behind what and until when: its parking topic as it stands now."""

from __future__ import annotations

from hub.admin.subscribers import get
from hub.config import Settings
from hub.delivery.parking import ParkedDossier
from hub.delivery.record_reader import Reader
from hub.kafka.topics import parking
from hub.untyped import JsonObject


async def waiting(settings: Settings, name: str) -> list[JsonObject]:
    """By dossier code: place (parked or held), events (how many wait), attempt, error (kind of the last one),
    not_before (epoch seconds, 0 for none), first_event (id). UnknownSubscriber."""
    await get(settings, name)
    topic, last = parking(name), dict[str, bytes | None]()
    reader = Reader(settings)
    await reader.start()
    try:
        for partition in range(settings.kafka.partitions):
            async for raw in reader.scan(topic, partition, 0, await reader.end(topic, partition)):
                last[(raw.key or b"").decode()] = raw.value
    finally:
        await reader.close()
    return [_shown(key, ParkedDossier.model_validate_json(value)) for key, value in sorted(last.items()) if value]


def _shown(key: str, told: ParkedDossier) -> JsonObject:
    return {
        "key": key,
        "place": told.place,
        "events": len(told.pointers),
        "attempt": told.attempt,
        "error": told.error,
        "not_before": told.not_before,
        "first_event": told.pointers[0].event_id if told.pointers else "",
    }
