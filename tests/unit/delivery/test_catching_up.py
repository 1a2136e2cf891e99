"""After a kill, what an earlier process may have sent is read again before the first call, a partition at a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from hub.delivery.main_loop import MainLoop
from hub.delivery.partition_assignment import Assignment
from hub.kafka.topics import EVENTS, REQUESTS


class Consumer:
    def __init__(self, parts: list[TopicPartition]) -> None:
        self.parts, self.held = parts, set[TopicPartition]()

    def assignment(self) -> set[TopicPartition]:
        return set(self.parts)

    def paused(self) -> set[TopicPartition]:
        return set(self.held)

    def pause(self, part: TopicPartition) -> None:
        self.held.add(part)

    def resume(self, part: TopicPartition) -> None:
        self.held.discard(part)


def test_the_first_partition_can_deliver_before_the_others_are_read_again():
    """Else the first call waits for the windows of all: 12 times 4,500 events, 26 s on a busy machine."""
    parts = [TopicPartition(EVENTS, n) for n in range(4)] + [TopicPartition(REQUESTS, n) for n in range(4)]
    at, opened = dict.fromkeys(parts, 0), list[int]()
    progress: Any = SimpleNamespace(full=lambda _: False, position=at.__getitem__)
    lanes = SimpleNamespace(open=opened.append)
    context: Any = SimpleNamespace(lanes=lanes, changed=SimpleNamespace(set=lambda: None))
    consumer: Any = Consumer(parts)
    nothing: Any = SimpleNamespace(running=frozenset())
    assignment = Assignment(nothing, context, progress, nothing, nothing, nothing, consumer, "g")
    assignment._catching_up = {0: 100, 2: 100, 3: 100}  # partition 1 has nothing to read again
    loop = MainLoop(context, consumer, progress, nothing, nothing, assignment, nothing, nothing)

    def read() -> set[tuple[str, int]]:
        loop._flow()
        return {(p.topic, p.partition) for p in set(parts) - consumer.held}

    orders = {(REQUESTS, n) for n in range(4)}
    assert read() == orders | {(EVENTS, 0), (EVENTS, 1)}
    at[TopicPartition(EVENTS, 0)] = 100
    assignment.caught_up()
    assert opened == [0]
    assert read() == orders | {(EVENTS, 0), (EVENTS, 1), (EVENTS, 2)}
    at[TopicPartition(EVENTS, 2)] = at[TopicPartition(EVENTS, 3)] = 100
    assignment.caught_up()
    assert (sorted(opened), read()) == ([0, 2, 3], orders | {(EVENTS, n) for n in range(4)})
