"""What a reader without a consumer group asks the broker: which partitions a topic has, where they begin and end.

While the broker is away a question is asked again, at growing distances, for `patience_s` at most.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from hub.config import Settings
from hub.kafka import clients
from hub.kafka.log_faults import NoAnswer, NoSuchTopic, TopicError

log = logging.getLogger(__name__)

PATIENCE_S = 30.0

CONNECT_S = 10.0
"""Longest wait for a broker that is away when the reading begins; a person may be waiting for a command's answer."""

BACKOFF_S = (0.1, 2.0)
"""First and longest wait between two tries of a question."""

T = TypeVar("T")


class LogLookup:
    """One connection. patience_s: longest wait for the broker. extra: arguments for the consumer."""

    def __init__(self, settings: Settings, *, patience_s: float = PATIENCE_S, **extra: Any) -> None:
        self._settings, self._patience_s = settings, patience_s
        # "none": aiokafka would else go to the beginning by itself and tell nobody, whichever end moved.
        self._arguments = {"auto_offset_reset": "none"} | extra
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Connects. NoAnswer: the broker stays away."""

        async def connect() -> None:
            consumer = clients.consumer(self._settings, **self._arguments)
            await consumer.start()  # one that fails has closed everything
            self._consumer = consumer

        where, limit_s = self._settings.bootstrap, min(CONNECT_S, self._patience_s)
        await self._ask(connect, f"cannot connect to Kafka at {where}", limit_s)

    async def stop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def partitions(self, *topics: str, missing_ok: bool = False) -> list[TopicPartition]:
        """All partitions of these topics, or of those that exist. NoSuchTopic.

        The list of all topics is asked first: a cluster that makes topics by itself would make one that is asked for.
        """
        consumer = self._started
        there = await self._ask(consumer.topics, "cannot list the topics")
        missing = [topic for topic in topics if topic not in there]
        if missing and not missing_ok:
            raise NoSuchTopic(missing[0])
        topics = tuple(topic for topic in topics if topic in there)
        # A consumer knows the partitions of the topics it has been asked about.
        await self.beginnings([TopicPartition(topic, 0) for topic in topics])
        return [
            TopicPartition(topic, n) for topic in topics for n in sorted(consumer.partitions_for_topic(topic) or ())
        ]

    async def beginnings(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        wanted = list(parts)
        found: dict[TopicPartition, int] = await self._ask(
            lambda: self._started.beginning_offsets(wanted), f"cannot ask where {names(wanted)} begin"
        )
        return found

    async def ends(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        wanted = list(parts)
        found: dict[TopicPartition, int] = await self._ask(
            lambda: self._started.end_offsets(wanted), f"cannot ask where {names(wanted)} end"
        )
        return found

    async def since(self, parts: Collection[TopicPartition], at_ms: int) -> dict[TopicPartition, int]:
        """The first offset whose record is not older than that; the end where there is none."""
        ends = await self.ends(parts)
        found = await self._ask(
            lambda: self._started.offsets_for_times(dict.fromkeys(parts, at_ms)),
            f"cannot ask for the records of a time in {names(parts)}",
        )
        return {part: int(found[part].offset) if found[part] is not None else ends[part] for part in parts}

    async def _ask(self, question: Callable[[], Awaitable[T]], what: str, limit_s: float = 0) -> T:
        began, wait_s, limit_s = time.monotonic(), BACKOFF_S[0], limit_s or self._patience_s
        while True:
            left = began + limit_s - time.monotonic()
            try:
                async with asyncio.timeout(left):  # aiokafka's own limit is another one
                    return await question()
            except TopicAuthorizationFailedError as error:
                raise TopicError(f"{what}: no right to read {error}") from error
            except TimeoutError as error:
                raise NoAnswer(what, limit_s) from error
            except KafkaError as error:
                left = began + limit_s - time.monotonic()
                if left <= 0:
                    raise NoAnswer(f"{what} ({type(error).__name__})", limit_s) from error
                log.warning("%s: %s; trying again for %.0f s", what, type(error).__name__, left)
                await asyncio.sleep(min(wait_s, left))
                wait_s = min(wait_s * 2, BACKOFF_S[1])

    @property
    def _started(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "not started"
        return self._consumer


def names(parts: Iterable[TopicPartition]) -> str:
    """`hub.events (12 partitions), hub.control`."""
    count: dict[str, int] = {}
    for part in parts:
        count[part.topic] = count.get(part.topic, 0) + 1
    return ", ".join(topic if n == 1 else f"{topic} ({n} partitions)" for topic, n in sorted(count.items()))
