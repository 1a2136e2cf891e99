"""Reading `hub.dead-letters`: by filter, one by id, counted. The topic is the truth; no index stands beside it."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from hub.config import Settings
from hub.deadletter.record import DeadLetter, parse
from hub.errors import HubError
from hub.wire import kafka
from hub.wire.topics import DEAD_LETTERS

READ_MS = 1_000


class NoSuchLetter(HubError):
    """There is no dead letter of that id."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no dead letter {id!r}; see `hub dead-letters list`")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters; what is empty admits all. since_ms: written at or after it (epoch milliseconds, UTC)."""

    ids: frozenset[str] = frozenset()
    stage: str = ""
    reason: str = ""
    subscriber: str = ""
    dossier: str = ""
    since_ms: int = 0

    def admits(self, letter: DeadLetter) -> bool:
        """`dossier` compares the key: also a procedure or service code."""
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.stage or letter.stage == self.stage)
            and (not self.reason or letter.reason == self.reason)
            and (not self.subscriber or letter.subscriber == self.subscriber)
            and (not self.dossier or letter.key == self.dossier.encode())
        )

    @property
    def empty(self) -> bool:
        return self == Filter()

    def __str__(self) -> str:
        """For people and the audit."""
        told = {"stage": self.stage, "reason": self.reason, "subscriber": self.subscriber, "dossier": self.dossier}
        parts = [f"{name}={value}" for name, value in told.items() if value]
        parts += [f"since={self.since_ms}"] if self.since_ms else []
        parts += [", ".join(sorted(self.ids)) if len(self.ids) <= 20 else f"{len(self.ids)} ids"] if self.ids else []
        return " ".join(parts) or "all"


async def scan(settings: Settings, wanted: Filter) -> AsyncIterator[DeadLetter]:
    """Those that the filter admits, to the present end of the topic; per key in the order they were written.

    A letter that was written twice (its stage was killed in between) comes twice, with one id.
    """
    consumer = kafka.consumer(settings)
    await consumer.start()
    try:
        parts = [TopicPartition(DEAD_LETTERS, number) for number in await _partitions(consumer)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        await _seek(consumer, parts, wanted.since_ms)
        for part in parts:
            while await consumer.position(part) < ends[part]:
                for records in (await consumer.getmany(part, timeout_ms=READ_MS)).values():
                    for record in records:
                        letter = _letter(record)
                        if record.offset < ends[part] and wanted.admits(letter):
                            yield letter
    finally:
        await consumer.stop()


async def newest(settings: Settings, wanted: Filter, limit: int) -> list[DeadLetter]:
    """At most `limit`, the newest first, each id once, without their bytes (`value` is None)."""
    kept: OrderedDict[str, DeadLetter] = OrderedDict()
    async for letter in scan(settings, wanted):
        kept.pop(letter.id, None)
        kept[letter.id] = replace(letter, value=None)
        if len(kept) > 4 * limit:
            kept = OrderedDict((one.id, one) for one in _newest(kept, limit))
    return _newest(kept, limit)


def _newest(kept: OrderedDict[str, DeadLetter], limit: int) -> list[DeadLetter]:
    return sorted(kept.values(), key=lambda letter: letter.at_ms, reverse=True)[:limit]


async def one(settings: Settings, id: str) -> DeadLetter:
    """The letter of that id, with its bytes. NoSuchLetter."""
    found: DeadLetter | None = None
    async for letter in scan(settings, Filter(ids=frozenset({id}))):
        found = letter
    if found is None:
        raise NoSuchLetter(id)
    return found


async def counts(settings: Settings, wanted: Filter) -> Counter[tuple[str, str]]:
    """(stage, reason) -> how many, each id once."""
    seen: dict[str, tuple[str, str]] = {}
    async for letter in scan(settings, wanted):
        seen[letter.id] = (letter.stage, letter.reason)
    return Counter(seen.values())


def _letter(record: ConsumerRecord) -> DeadLetter:
    letter = parse(record.key, record.value, record.headers)
    # A record that no stage of the hub wrote is shown by its place.
    return letter if letter.id else replace(letter, id=f"{record.partition}-{record.offset}", at_ms=record.timestamp)


async def _partitions(consumer: AIOKafkaConsumer) -> list[int]:
    found = await consumer._client._wait_on_metadata(DEAD_LETTERS)
    return sorted(found)


async def _seek(consumer: AIOKafkaConsumer, parts: list[TopicPartition], since_ms: int) -> None:
    await consumer.seek_to_beginning(*parts)
    if not since_ms:
        return
    found = await consumer.offsets_for_times(dict.fromkeys(parts, since_ms))
    for part, at in found.items():
        if at is None:
            await consumer.seek_to_end(part)
        else:
            consumer.seek(part, at.offset)
