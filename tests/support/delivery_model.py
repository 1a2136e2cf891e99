"""One delivery partition without Kafka and HTTP: logs of written records, a portal that is answered by the test."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from hub.config import DeliverySettings
from hub.connect.portal import Answer, Item, Strategy
from hub.control.records import Subscriber
from hub.control.requests import Pointer, Request
from hub.delivery import outcomes
from hub.delivery.attempt import attempt
from hub.delivery.circuit_breaker import Breaker
from hub.delivery.connection_state import ConnectionState
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Raw
from hub.delivery.event_decoder import Decoder
from hub.delivery.incoming import IncomingRecords
from hub.delivery.partition.owner import PartitionDelivery, Terms
from hub.delivery.partition.states import State
from hub.delivery.receipts import Receipts
from hub.delivery.settlement import Out, Settlement
from hub.delivery.takeover import Takeover
from hub.events.canonical import state_of
from hub.kafka.topics import DEAD_LETTERS, DELIVERIES, EVENTS, REQUESTS, parking
from tests.support.codecs import fixed_codec
from tests.support.events import dossier_event

NAME = "model"
PARTITION = 0
CODEC = fixed_codec()
LIMITS = DeliverySettings(max_attempts=3, retry_base_s=1_000, retry_cap_s=1_000, request_timeout_s=1_000)
LATER = 1e12
"""A moment at which every wait is over."""


@cache
def event(key: str, seq: int) -> tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]:
    made_key, value, headers = dossier_event(CODEC, key, seq)
    return made_key, value, tuple(headers)


class Logs:
    """What stands on Kafka: a log per topic, and what is committed. A `Reader` of them too."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Raw]] = {}
        self.committed: dict[str, tuple[int, str]] = {}
        self._clock = 1_000_000

    def write(self, topic: str, key: bytes | None, value: bytes | None, headers: Any = ()) -> int:
        log = self.logs.setdefault(topic, [])
        self._clock += 1
        log.append(Raw(topic, PARTITION, len(log), self._clock, key, value, headers))
        return len(log) - 1

    async def end(self, topic: str, partition: int) -> int:
        return len(self.logs.get(topic, ()))

    async def beginning(self, topic: str, partition: int) -> int:
        return 0

    async def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        log = self.logs.get(topic, [])
        return next((raw.offset for raw in log if raw.timestamp_ms >= timestamp_ms), len(log))

    async def pick(self, topic: str, partition: int, offsets: Collection[int]) -> dict[int, Raw]:
        return {offset: self.logs[topic][offset] for offset in offsets}

    async def scan(self, topic: str, partition: int, start: int, end: int) -> AsyncIterator[Raw]:
        for raw in self.logs.get(topic, [])[start:end]:
            yield raw

    def parked(self) -> dict[str, dict[str, Any]]:
        """The last parking record of each dossier that waits."""
        last = {(raw.key or b"").decode(): raw.value for raw in self.logs.get(parking(NAME), [])}
        return {key: json.loads(value) for key, value in last.items() if value is not None}

    def receipted(self, *outcomes: str) -> set[str]:
        """Ids of events with such a receipt."""
        found = [CODEC.decode(raw.value, "vn.hub.Delivery")[1] for raw in self.logs.get(DELIVERIES, [])]
        return {event_id for one in found if one["outcome"] in outcomes for event_id in one["event_ids"]}

    def dead(self) -> set[str]:
        return {dict(raw.headers)["ce_id"].decode() for raw in self.logs.get(DEAD_LETTERS, [])}


@dataclass(eq=False)
class Call:
    """One call under way: what was given, and how it ends."""

    key: str
    ids: list[str]
    seqs: list[int]
    state_seq: int
    end: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Connection:
    """A `Portal` whose calls end when the test says so."""

    families: tuple[str, ...] = ("dossier",)

    def __init__(self, strategy: Strategy, started: Any) -> None:
        self.strategy, self.max_fold, self.answered = strategy, 1 if strategy is Strategy.EVENT_LOG else 4, 0
        self.call: Call | None = None
        self._started = started

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def probe(self) -> None: ...

    async def deliver(self, items: Sequence[Item]) -> Answer:
        self.answered = 0
        state = state_of(items[-1].envelope.type, items[-1].data)
        call = Call(items[0].key, [i.envelope.id for i in items], [i.hub_seq for i in items], state.hub_seq)
        self.call = call
        self._started(call)
        return await call.end


class _Box(list[Settlement]):
    def put(self, settlement: Settlement) -> None:
        self.append(settlement)


class Process:
    """One life of the role over one partition: from the takeover to a crash. `box`: written, not confirmed."""

    def __init__(self, logs: Logs, strategy: Strategy, started: Any) -> None:
        self.logs, self.strategy, self._started = logs, strategy, started
        self.box = _Box()
        self.flights: dict[asyncio.Task[bool], Connection] = {}
        receipts = Receipts(NAME, CODEC)
        self.context = DeliveryContext(
            subscriber=Subscriber(name=NAME, kind="model"),
            limits=LIMITS,
            strategy=strategy,
            max_fold=Connection(strategy, None).max_fold,
            families=Connection.families,
            outbox=cast(Any, self.box),
            receipts=receipts,
            reader=cast(Any, logs),
            decoder=Decoder(CODEC),
            breaker=Breaker(10**9, 1.0),
            link=ConnectionState(NAME),
        )
        self.incoming = IncomingRecords(self.context)
        self._takeover = Takeover(self.context, Terms(NAME, "life", receipts), cast(Any, self), cast(Any, self))

    # Of a backfill and of a consumer the takeover needs no more than this.

    async def start(self, partition: int) -> int:
        return 0

    def seek(self, where: TopicPartition, offset: int) -> None: ...

    @property
    def owner(self) -> PartitionDelivery:
        (owner,) = self.context.partitions
        return owner

    async def take_over(self) -> None:
        offsets = {TopicPartition(t, PARTITION): OffsetAndMetadata(*c) for t, c in self.logs.committed.items()}
        owner = await self._takeover.begin(PARTITION, [EVENTS, REQUESTS], offsets, lambda: True)
        assert owner is not None
        self._commit(owner, self._takeover.first_commit(owner))
        owner.reading.begun()

    def read(self, topic: str, most: int) -> None:
        """As the main loop does, the next records of one topic."""
        owner = self.owner
        position, limit = owner.offsets.position(topic), owner.reading.limit(topic)
        if owner.reading.reads(topic):
            fresh = self.logs.logs.get(topic, [])[position : min(limit or 10**9, position + most)]
            if fresh:
                self.incoming.take(owner, topic, [_as_read(raw) for raw in fresh])
        self.incoming.after_read()
        owner.reading.caught_up()

    async def hand_out(self, now: float | None = None) -> Connection | None:
        """The next delivery goes to a worker; None: nothing waits."""
        delivery = self.context.partitions.take(time.time() if now is None else now)
        if delivery is None:
            return None
        connection = Connection(self.strategy, self._started)
        task = asyncio.get_running_loop().create_task(attempt(self.context, connection, delivery))
        task.set_name(delivery.key)
        self.flights[task] = connection
        await self.turn()
        return connection

    async def turn(self) -> None:
        """Until everybody waits for the test."""
        for _ in range(6):
            await asyncio.sleep(0)
        for task in [task for task in self.flights if task.done()]:
            del self.flights[task]
            task.result()

    def confirm(self, most: int = 10**9) -> None:
        """The broker takes the first settlements together: receipts, then parking; then they are done."""
        batch, self.box[:] = self.box[:most], self.box[most:]
        for out in _in_order(batch):
            self.logs.write(*out)
        for one in batch:
            one.done()
        self.context.partitions.receipts_confirmed({PARTITION: len(self.logs.logs.get(DELIVERIES, ()))})

    def commit(self) -> None:
        self._commit(self.owner, self.owner.to_commit())

    def _commit(self, owner: PartitionDelivery, commits: dict[str, tuple[int, str]]) -> None:
        self.logs.committed |= commits
        owner.committed(commits)

    async def crash(self, written: int) -> None:
        """So many records of what waits are written, nothing is confirmed, all calls are lost."""
        for out in _in_order(self.box)[:written]:
            self.logs.write(*out)
        await self._cut()

    async def lose_partition(self, late: int) -> None:
        """Drained as for a rebalance; so many of the last settlements are confirmed only after it was given up."""
        owner = self.owner
        owner.reading.close()
        await self._cut()
        for delivery in owner.unclear():
            outcomes.cut_off(self.context, delivery)
        self.confirm(max(0, len(self.box) - late))
        self.commit()
        self.context.partitions.revoke(PARTITION)
        self.confirm()

    async def _cut(self) -> None:
        """As a worker does it with a cancelled attempt."""
        for task in self.flights:
            task.cancel()
        if self.flights:
            await asyncio.wait(list(self.flights))
        for task in self.flights:
            delivery = self.owner.get(task.get_name())
            if delivery is not None and delivery.state is State.IN_FLIGHT:
                delivery.lose_sight()
        self.flights.clear()

    def order(self, action: Any, key: str, pointers: Sequence[Pointer]) -> None:
        request = Request(id="o", action=action, subscriber=NAME, key=key, pointers=tuple(pointers), who="test")
        self.logs.write(REQUESTS, key.encode(), request.model_dump_json().encode())


def _in_order(batch: Sequence[Settlement]) -> list[Out]:
    return [out for one in batch for out in one.first] + [out for one in batch for out in one.then]


@dataclass(frozen=True)
class _Record:
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any


def _as_read(raw: Raw) -> _Record:
    return _Record(raw.topic, raw.partition, raw.offset, raw.timestamp_ms, raw.key, raw.value, raw.headers)
