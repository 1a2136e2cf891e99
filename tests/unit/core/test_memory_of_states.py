"""Python's own memory of a dossier that rests between two chunks: counted in bytes, over its content."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

from hub.config import Settings
from hub.core.deadline_clock import Clock
from hub.core.key_state import version
from hub.kafka.topics import DOSSIERS
from hub.model.deadline_watch import DEADLINE, watches_of
from hub.stream.memory_store import memory_stores
from hub.stream.partition_state import PartitionState
from hub.stream.stage import Stored
from tests.bench.states import states
from tests.support.codecs import fixed_codec
from tests.support.core import DAY, RECORDED

COUNT = 1_000
ROWS = list(states(fixed_codec(), COUNT))
CONTENT = sum(len(key) + len(value) + sum(len(raw) for _, raw in headers) for key, value, headers in ROWS)
STORE, CLOCK = 350, 800
"""Bytes a dossier that Python may take: 200 and 600 when this was written, 880 and 1,150 before (decision 18)."""


def taken(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def part() -> PartitionState:
    return PartitionState(0, memory_stores(0, [DOSSIERS]), version)


def fill(into: PartitionState) -> None:
    """As a restore does: every object anew, as they come out of a fetched batch."""
    log = into.logs[DOSSIERS]
    for key, value, headers in ROWS:
        own = tuple([("".join(list(name)), bytes(bytearray(raw))) for name, raw in headers])
        log.read(bytes(bytearray(key)), Stored(bytes(bytearray(value)), own))


def test_a_stored_dossier_takes_little_more_than_its_content() -> None:
    kept = part()
    over = (taken(lambda: fill(kept)) - CONTENT) / COUNT
    assert len(kept.logs[DOSSIERS].data) == COUNT
    assert 0 < over < STORE


def test_the_clock_keeps_little_of_each_dossier_that_runs() -> None:
    kept = part()
    fill(kept)
    due = min(watches_of(headers)[DEADLINE].since for _, _, headers in ROWS) / 1000
    Clock(fixed_codec(), Settings().deadlines).tick(0, kept, due)  # reads the calendar
    clock = Clock(fixed_codec(), Settings().deadlines)
    clock._rules.calendar.between(RECORDED - 800 * DAY, RECORDED)  # days are known to the calendar, not to a dossier
    assert 0 < taken(lambda: clock.tick(0, kept, due)) / COUNT < CLOCK
