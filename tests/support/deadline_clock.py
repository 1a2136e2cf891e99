"""Runs the core with its clock and without Kafka; each question of the clock is answered by the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.core.deadline_clock import Clock
from hub.core.step import make_step
from hub.events import families
from hub.events.envelope import read_headers
from hub.kafka import topics
from hub.model.deadline_watch import DEADLINE, Watch, watches_of
from hub.stream.stage import Out, Record
from tests.support.core import CODE, CODEC, RECORDED, Core, record, step

HOUR = 3_600_000
DAY = 24 * HOUR
# Monday to Friday, 5 to 9 January 2026 (Saturday 10 is worked); local 7:00 is midnight UTC. By hand.
MON_8 = 1_767_574_800_000
FRI_8 = MON_8 + 4 * DAY
THU_8 = MON_8 + 3 * DAY  # one working day before


class Hub(Core):
    """The core with its clock; questions go to the step as they would through hub.ingress."""

    def __post_init__(self) -> None:
        self.renew()
        self.asked: list[Out] = []

    def renew(self) -> None:
        """A process that was started anew: the state is all it has."""
        self.clock = Clock(CODEC, self.settings.deadlines)
        self._step = self.clock.watching(make_step(CODEC, self.settings))

    def ask(self, now: int) -> list[Out]:
        """What the clock writes at that moment."""
        outputs = self.clock.tick(0, self, now / 1000)
        assert not outputs.state
        self.asked += outputs.records
        return outputs.records

    def answer(self, questions: Sequence[Out]) -> list[dict[str, Any]]:
        made = self.run(*(as_record(one) for one in questions)) if questions else []
        return [told(out) for out in made]

    def at(self, now: int) -> list[dict[str, Any]]:
        """What is told at that moment."""
        return self.answer(self.ask(now))

    @property
    def watch(self) -> Watch:
        found = watches_of(self.state[topics.DOSSIERS, CODE.encode()].headers).get(DEADLINE)
        assert found is not None
        return found


def as_record(out: Out) -> Record:
    assert out.partition == 0
    return Record(out.topic, 0, 0, RECORDED, out.key, out.value, out.headers)


def told(out: Out) -> dict[str, Any]:
    envelope = read_headers(out.headers)
    assert (out.topic, envelope.type) == (topics.EVENTS, families.DEADLINE.type)
    data = CODEC.decode(out.value, "vn.hub.DossierDeadlineEvent")[1]
    assert data["hub_seq"] == envelope.hub_seq == data["dossier"]["hub_seq"]
    return {"id": envelope.id, "time": envelope.time, "seq": data["hub_seq"], **data["deadline"]}


def received(hub: Hub, due: int = FRI_8, at: int = MON_8) -> Hub:
    hub.run(record(step("RECEIVED", at, received_at=at, due_at=due), "r"))
    return hub


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["kind"] for event in events]
