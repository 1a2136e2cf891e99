"""The clock over a partition with more dossiers in work than one tick may look at."""

from __future__ import annotations

import pytest

from hub.core import deadline_clock
from hub.kafka import topics
from hub.stream.stage import Stored
from tests.support.core import record, step
from tests.support.deadline_clock import FRI_8, HOUR, MON_8, Hub

COUNT, PIECE = 25, 10


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """25 dossiers in work, before a clock that has seen none of them."""
    monkeypatch.setattr(deadline_clock, "LOOKED_AT_PER_TICK", PIECE)
    hub = Hub()
    for number in range(COUNT):
        hub.run(record(step("RECEIVED", MON_8, f"H11.12-260105-{number:05d}", due_at=FRI_8), f"r{number}"))
    hub.renew()
    return hub


def looked_at(hub: Hub, now: int) -> int:
    """Dossiers whose state one tick reads."""
    looked: list[bytes] = []
    own = hub.get

    def noting(store: str, key: bytes) -> Stored | None:
        looked.append(key)
        return own(store, key)

    hub.get = noting  # type: ignore[method-assign]
    hub.ask(now)
    del hub.get
    return len(looked)


def test_a_tick_looks_at_no_more_than_its_piece(hub: Hub):
    assert [looked_at(hub, MON_8 + HOUR + n) for n in range(5)] == [10, 10, 5, 0, 0]


def test_each_moment_is_asked_though_the_partition_was_seen_in_pieces(hub: Hub):
    """At the due date the warnings are overtaken: they too are looked at in pieces."""
    asked = [len(hub.ask(FRI_8 + n)) for n in range(12)]
    assert sum(asked) == COUNT
    assert max(asked) <= PIECE
    assert len({question.key for question in hub.asked}) == COUNT


def test_what_a_chunk_changes_meanwhile_is_asked_by_its_new_date(hub: Hub):
    hub.ask(MON_8 + HOUR)
    late = "H11.12-260105-00000"  # among those not seen yet, since the last ones are looked at first
    hub.run(record(step("IN_PROCESS", MON_8 + 1, late, due_at=MON_8 + 2 * HOUR), "x"))
    asked = [question.key for n in range(6) for question in hub.ask(MON_8 + 2 * HOUR + n)]
    assert asked == [late.encode()]
    assert (topics.DOSSIERS, late.encode()) in hub.state
