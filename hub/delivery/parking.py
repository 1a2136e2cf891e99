"""The parking topic of a subscriber: which dossiers wait, behind which event, until when. Key = dossier code.

A record holds pointers, no event: the bytes are read again from where they stand. Its last record per key counts
(compacted); none = the dossier waits no longer. Only after the broker confirmed it do the source offsets of the events
it names count as finished.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.control.requests import Pointer
from hub.delivery.entries import Entry, Mode
from hub.delivery.lanes import Lane, Place
from hub.delivery.outbox import Out
from hub.events.families import DOSSIER
from hub.kafka.topics import EVENTS, parking


class Parked(Pointer):
    """topic: hub.events, or for a new subscriber's backfill the state topic."""

    topic: str = EVENTS
    family: str = DOSSIER.event.name
    mode: Mode = Mode.NEW
    since_ms: int = 0


class ParkedDossier(BaseModel):
    """The value in hub.parking.<subscriber>, as UTF-8 JSON. not_before: epoch seconds. error: kind of the last one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    place: Literal["parked", "held"]
    attempt: int = 0
    not_before: float = 0.0
    patient: bool = False
    error: str = ""
    pointers: tuple[Parked, ...]


def record(subscriber: str, lane: Lane, entries: list[Entry], place: Place) -> Out:
    """The record that says: these entries of the lane wait, in this order. No entries: a tombstone."""
    if not entries:
        return parking(subscriber), lane.key.encode(), None, ()
    pointers = tuple(
        Parked(
            offset=entry.offset,
            hub_seq=entry.hub_seq,
            event_id=entry.event_id,
            topic=entry.topic,
            family=entry.family,
            mode=entry.mode,
            since_ms=entry.since_ms,
        )
        for entry in entries
    )
    value = ParkedDossier(
        place="held" if place is Place.HELD else "parked",
        attempt=lane.attempt,
        not_before=lane.not_before,
        patient=lane.patient,
        error=lane.error,
        pointers=pointers,
    )
    return parking(subscriber), lane.key.encode(), value.model_dump_json(exclude_defaults=True).encode(), ()


def restored(key: str, partition: int, value: bytes) -> Lane:
    """The lane that a parking record describes; its events' bytes are read when it is tried. ValueError if unusable."""
    told = ParkedDossier.model_validate_json(value)
    lane = Lane(
        key,
        partition,
        place=Place.HELD if told.place == "held" else Place.PARKED,
        attempt=told.attempt,
        not_before=told.not_before,
        patient=told.patient,
        stored=True,
        error=told.error,
    )
    for one in told.pointers:
        lane.queue.append(
            Entry(
                key,
                one.event_id,
                one.hub_seq,
                one.family,
                one.topic,
                partition,
                one.offset,
                one.since_ms,
                mode=one.mode,
            )
        )
    return lane
