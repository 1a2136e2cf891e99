"""The core's step without Kafka: records from datums, and a runner that applies outputs as the engine does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.avro.bodies import DOSSIER
from hub.avro.records import Dossier
from hub.config import Settings
from hub.core.deadline_clock import runs
from hub.core.step import make_step
from hub.deadletter.record import DeadLetter, parse
from hub.events import families
from hub.events.envelope import Envelope
from hub.kafka import topics
from hub.stream.stage import Out, Record, Stored
from tests.support.codecs import fixed_codec

CODE = "H11.12-260105-0001"
SOURCE = "urn:vn:gov:H11.12:onestop"
DAY = 86_400_000
T0 = 1_767_571_200_000  # 2026-01-05T00:00:00Z
RECORDED = 1_795_478_400_000  # 2026-11-24T00:00:00Z
CODEC = fixed_codec()
_KEYS = {"vn.hub.DossierStep": "dossier_code", "vn.hub.ProcedureChange": "procedure_code"}


def step(kind: str, at: int, code: str = CODE, **facts: Any) -> dict[str, Any]:
    """A DossierStep; `at` in days since T0 if small, else epoch ms."""
    return {"dossier_code": code, "step": kind, "occurred_at": at if at > 10**9 else T0 + at * DAY, **facts}


def record(
    datum: dict[str, Any],
    event_id: str,
    type: str = families.DOSSIER.published,
    offset: int = 0,
    source: str = SOURCE,
    **changes: Any,
) -> Record:
    """What the gateway would have written; `changes` overrides fields of the Record."""
    name = families.BY_PUBLISHED[type].published_record
    code = datum[_KEYS.get(name, "service_code")]
    envelope = Envelope(id=event_id, source=source, type=type, subject=code, recordedtime="2026-11-24T00:00:00.000Z")
    made = {
        "topic": topics.INGRESS,
        "partition": 0,
        "offset": offset,
        "timestamp_ms": RECORDED,
        "key": code.encode(),
        "value": CODEC.encode(name, datum),
        "headers": envelope.headers(),
    }
    return Record(**(made | changes))


@dataclass
class Core:
    """`run` works one chunk; what came out is kept in order."""

    settings: Settings = field(default_factory=Settings)
    state: dict[tuple[str, bytes], Stored] = field(default_factory=dict)
    out: list[Out] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._step = make_step(CODEC, self.settings)

    def get(self, store: str, key: bytes) -> Stored | None:
        return self.state.get((store, key))

    def keys(self, store: str) -> Iterable[bytes]:
        return [key for own, key in self.state if own == store]

    def waiting(self, store: str) -> Iterable[bytes]:
        """The fewest that the contract allows."""
        return [key for key in self.keys(store) if runs(self.state[store, key])]

    def run(self, *records: Record) -> Sequence[Out]:
        outputs = self._step(records, self)
        self.out += outputs.records
        for where, stored in outputs.state.items():
            assert stored is not None
            self.state[where] = stored
        return outputs.records

    def steps(self, *datums: dict[str, Any], prefix: str = "e") -> Core:
        """Each as a chunk of its own, with ids e0, e1 …"""
        for number, datum in enumerate(datums):
            self.run(record(datum, f"{prefix}{number}", offset=number))
        return self

    @property
    def events(self) -> list[Any]:
        """Canonical records, of whatever family."""
        return [CODEC.read_any(o.value)[1] for o in self.out if o.topic == topics.EVENTS]

    @property
    def dead(self) -> list[DeadLetter]:
        return [parse(o.key, o.value, o.headers) for o in self.out if o.topic == topics.DEAD_LETTERS]

    def dossier(self, code: str = CODE) -> Dossier:
        return CODEC.read(DOSSIER, self.state[topics.DOSSIERS, code.encode()].value)
