"""After a kill, what an earlier process may have sent is read again before the first call, a partition at a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from hub.delivery.main_loop import MainLoop
from hub.delivery.partition.owner import PartitionDelivery, Plan, Terms
from hub.delivery.partition.partitions import Partitions
from hub.delivery.receipts import Receipts
from hub.kafka.topics import EVENTS, REQUESTS
from tests.support.codecs import fixed_codec


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


def test_the_first_partition_can_deliver_before_the_others_are_read_again() -> None:
    """Else the first call waits for the windows of all: 12 times 4,500 events, 26 s on a busy machine."""
    parts = [TopicPartition(EVENTS, n) for n in range(4)] + [TopicPartition(REQUESTS, n) for n in range(4)]
    partitions = Partitions()
    for number in range(4):
        owner = PartitionDelivery(number, Terms("national", "life", Receipts("national", fixed_codec())), Plan())
        if number != 1:  # partition 1 has nothing to read again
            owner.reading.catch_up(100)
        owner.reading.begun()
        partitions.add(owner)
    context: Any = SimpleNamespace(partitions=partitions)
    consumer: Any = Consumer(parts)
    nothing: Any = SimpleNamespace()
    loop = MainLoop(context, consumer, nothing, nothing, nothing, nothing)

    def read() -> set[tuple[str, int]]:
        loop._flow()
        return {(p.topic, p.partition) for p in set(parts) - consumer.held}

    def read_again(number: int) -> None:
        (owner,) = partitions.of([number])
        owner.skip(EVENTS, 99)
        assert owner.reading.caught_up()

    def orders(*numbers: int) -> set[tuple[str, int]]:
        return {(REQUESTS, n) for n in numbers}

    assert partitions.catching_up() == [0, 2, 3]
    assert read() == orders(1) | {(EVENTS, 0), (EVENTS, 1)}, "orders wait for their partition"
    read_again(0)
    assert [owner.number for owner in partitions if owner.reading.sends] == [0, 1]
    assert read() == orders(0, 1) | {(EVENTS, 0), (EVENTS, 1), (EVENTS, 2)}
    read_again(2)
    read_again(3)
    assert all(owner.reading.sends for owner in partitions)
    assert (partitions.catching_up(), read()) == ([], orders(0, 1, 2, 3) | {(EVENTS, n) for n in range(4)})
