"""The parking topic of a subscriber: which dossiers wait, behind which event, until when. Key = dossier code.

A record holds pointers, no event: the bytes are read again from where they stand. Its last record per key counts
(compacted); none = the dossier waits no longer. Only after the broker confirmed it do the source offsets of the events
it names count as finished.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.control.requests import Pointer
from hub.delivery.entries import Entry, Mode
from hub.delivery.settlement import Out
from hub.events.families import DOSSIER
from hub.kafka.topics import EVENTS, parking

Place = Literal["parked", "held"]


@dataclass(frozen=True, slots=True)
class Wait:
    """Why and until when a dossier's head waits.

    attempt: its failed tries. not_before: when it may be tried again (epoch seconds).
    patient: the portal itself named that time (Retry-After): it is not brought forward. error: kind of the last one.
    """

    attempt: int = 0
    not_before: float = 0.0
    patient: bool = False
    error: str = ""


class Parked(Pointer):
    """topic: hub.events, or for a new subscriber's backfill the state topic."""

    topic: str = EVENTS
    family: str = DOSSIER.event.name
    mode: Mode = Mode.NEW
    since_ms: int = 0


class ParkedDossier(BaseModel):
    """The value in hub.parking.<subscriber>, as UTF-8 JSON. not_before: epoch seconds. error: kind of the last one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    place: Place
    attempt: int = 0
    not_before: float = 0.0
    patient: bool = False
    error: str = ""
    pointers: tuple[Parked, ...]

    @property
    def wait(self) -> Wait:
        return Wait(self.attempt, self.not_before, self.patient, self.error)

    def entries(self, key: str, partition: int) -> list[Entry]:
        """What waits, in order; the events' bytes are read when they are tried."""
        return [
            Entry(key, p.event_id, p.hub_seq, p.family, p.topic, partition, p.offset, p.since_ms, mode=p.mode)
            for p in self.pointers
        ]


def record(subscriber: str, key: str, wait: Wait, entries: Collection[Entry], place: Place) -> Out:
    """The record that says: these entries of the dossier wait, in this order. No entries: a tombstone."""
    if not entries:
        return parking(subscriber), key.encode(), None, ()
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
        place=place,
        attempt=wait.attempt,
        not_before=wait.not_before,
        patient=wait.patient,
        error=wait.error,
        pointers=pointers,
    )
    return parking(subscriber), key.encode(), value.model_dump_json(exclude_defaults=True).encode(), ()


def read(value: bytes) -> ParkedDossier:
    """What a parking record says. ValidationError if it is unusable."""
    return ParkedDossier.model_validate_json(value)
