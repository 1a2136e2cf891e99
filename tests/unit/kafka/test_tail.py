"""What a tail makes of answers that a broker of today cannot be brought to give, by a consumer that gives them."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, RecordTooLargeError, TopicAuthorizationFailedError

from hub.config import Settings
from hub.kafka.log_faults import Gap, NoAnswer, RecordDamaged, TopicError
from hub.kafka.tail import Tail

PART = TopicPartition("hub.events", 3)


class Consumer:
    """Stands at `at` of a partition that ends at `end`; each fetch is answered with nothing, or with `error`."""

    def __init__(self, end: int, answers: bool = True, error: Exception | None = None) -> None:
        self.at, self.end, self.answers, self.error = 0, end, answers, error

    def assign(self, parts: list[TopicPartition]) -> None:
        pass

    def seek(self, part: TopicPartition, offset: int) -> None:
        self.at = offset

    async def position(self, part: TopicPartition) -> int:
        return self.at

    async def topics(self) -> set[str]:
        return {PART.topic}

    async def beginning_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {PART: 0}

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {PART: self.end}

    def highwater(self, part: TopicPartition) -> int:
        return self.end

    def last_poll_timestamp(self, part: TopicPartition) -> int:
        return round(time.time() * 1000) if self.answers else 1

    async def getmany(self, *parts: TopicPartition, **_: Any) -> dict[TopicPartition, list[Any]]:
        if self.error is not None:
            raise self.error
        return {}


def tail(consumer: Any, **arguments: Any) -> Tail:
    made = Tail(Settings(kafka={"bootstrap_servers": "127.0.0.1:1"}), patience_s=1.1, **arguments)
    made._consumer = consumer
    made.begin({PART: 7})
    return made


async def read(made: Tail) -> None:
    async for _ in made.to_end():
        pass


async def test_offsets_that_each_fetch_says_are_empty_are_passed_and_told():
    gaps: list[Gap] = []
    made = tail(Consumer(end=9), tell=gaps.append)
    await read(made)
    assert (made.position(PART), gaps) == (9, [Gap(PART, 7, 9, "missing")])


async def test_a_fetch_that_is_not_answered_says_nothing():
    with pytest.raises(NoAnswer, match=r"hub\.events cannot be read to the end"):
        await read(tail(Consumer(end=9, answers=False)))


async def test_a_record_too_big_for_the_client_is_an_error():
    error = RecordTooLargeError("messages at [Partition=Offset]: %s=%s larger than the fetch size %s", PART, 7, 100)
    with pytest.raises(
        TopicError, match=r"hub\.events cannot be read: messages at .*=7 larger than the fetch size 100"
    ):
        await read(tail(Consumer(end=9, error=error)))


class Damaged:
    """Two records in each of two partitions; the second one's second record is damaged. As aiokafka 0.14 does it: what
    a call had read of the first partition is lost when it meets the damage in the second."""

    def __init__(self) -> None:
        self.at: dict[TopicPartition, int] = {}

    def assign(self, parts: list[TopicPartition]) -> None:
        self.at = dict.fromkeys(parts, 0)

    def seek(self, part: TopicPartition, offset: int) -> None:
        self.at[part] = offset

    async def position(self, part: TopicPartition) -> int:
        return self.at[part]

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 2)

    async def getmany(self, *parts: TopicPartition, timeout_ms: int, max_records: int | None) -> dict[Any, list[Any]]:
        found: dict[TopicPartition, list[Any]] = {}
        for part in sorted(parts):
            for offset in range(self.at[part], 2):
                if (part.partition, offset) == (1, 1):
                    raise CorruptRecordException(f"Invalid CRC - {part}")
                found.setdefault(part, []).append(SimpleNamespace(offset=offset))
                if len(found[part]) == max_records:
                    break
            if part in found:
                self.at[part] += len(found[part])
        return found


async def test_damage_in_one_partition_loses_no_record_of_another():
    made = tail(Damaged())
    made.begin({TopicPartition("hub.events", 0): 0, TopicPartition("hub.events", 1): 0})
    found: list[tuple[int, int]] = []
    with pytest.raises(RecordDamaged, match=r"hub\.events partition 1 cannot be read from offset 1 on"):
        async for part, records in made.to_end():
            found += [(part.partition, record.offset) for record in records]
    assert sorted(found) == [(0, 0), (0, 1), (1, 0)]


async def test_a_missing_right_is_an_error_with_what_to_do():
    with pytest.raises(TopicError, match=r"no right to read .*hub\.events.*hub topics acls"):
        await read(tail(Consumer(end=9, error=TopicAuthorizationFailedError("hub.events"))))
