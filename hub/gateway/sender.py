"""From the gateway to the broker: requests that come together share a batch, and each waits for its own records.

One lane a partition: what waits there goes out as one batch, acknowledged by all in-sync replicas (acks=all), before
the next one: the order of a dossier holds, and a partition without a leader stops no other. Not idempotent on purpose:
a repeated record is dropped by the core, while an idempotent producer whose batch timed out can send no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hub.errors import BrokerAway, Overloaded
from hub.kafka import batches, clients
from hub.kafka.batches import KeyedLine

log = logging.getLogger(__name__)

ACK_WAIT_S = 10.0
"""A request waits so long for the broker, then it is told to come again."""
SHARE = 4
"""One organisation may have so great a part of the bytes under way: a quarter."""
TURN_BYTES = 256 * 1024
"""Of one organisation in one batch to a partition: those of others go out beside it, not after all of it."""
STUCK_S = 5.0
"""Records without acknowledgement for so long: nothing new is taken in."""


class _Parcel:
    """The records of one request for one partition."""

    __slots__ = ("abandoned", "done", "lines", "owner", "size")

    def __init__(self, lines: list[KeyedLine], owner: str) -> None:
        self.lines = lines
        self.owner = owner
        self.size = sum(len(value) for _, value, _ in lines)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.abandoned = False

    def settle(self, error: BaseException | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
            self.done.exception()  # retrieved: its request may be gone


class _Lane:
    """One partition of one topic, and the task that sends what waits for it."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partition: int) -> None:
        self._producer, self._topic, self._partition = producer, topic, partition
        self._waiting: list[_Parcel] = []
        self._wake = asyncio.Event()
        self.sending_since: float | None = None
        self.task = asyncio.create_task(self._work(), name=f"lane-{topic}-{partition}")

    def put(self, parcel: _Parcel) -> None:
        self._waiting.append(parcel)
        self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            parcels, self._waiting = turn([p for p in self._waiting if not p.abandoned])
            if not parcels:
                continue
            if self._waiting:
                self._wake.set()
            self.sending_since = time.monotonic()
            error: BaseException | None = None
            try:
                await self._send(parcels)
            except KafkaError as failed:
                error = failed
            finally:
                self.sending_since = None
            for parcel in parcels:
                parcel.settle(error)

    async def _send(self, parcels: Sequence[_Parcel]) -> None:
        lines = ((*line, None) for parcel in parcels for line in parcel.lines)
        sent = [future async for future, _ in batches.send(self._producer, self._topic, self._partition, lines)]
        for answer in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer


def turn(waiting: Sequence[_Parcel]) -> tuple[list[_Parcel], list[_Parcel]]:
    """(what goes out now, what waits on): each owner's oldest, up to TURN_BYTES and one at least, in its order."""
    taken: dict[str, int] = {}
    now: list[_Parcel] = []
    later: list[_Parcel] = []
    for parcel in waiting:
        had = taken.get(parcel.owner)
        if had is None or had + parcel.size <= TURN_BYTES:
            taken[parcel.owner] = (had or 0) + parcel.size
            now.append(parcel)
        else:
            taken[parcel.owner] = TURN_BYTES  # nothing of this owner goes before what waits
            later.append(parcel)
    return now, later


@dataclass(slots=True)
class _Share:
    """What one owner has under way."""

    size: int = 0
    requests: int = 0


class Sender:
    """Sends to one topic. `max_bytes`: of request bodies under way; above it `reserve` raises Overloaded, and for one
    owner above a quarter of it, or above `max_requests`: nobody shuts the door for others."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, max_bytes: int, max_requests: int = 256) -> None:
        self._max_requests = max_requests
        self._shares: dict[str, _Share] = {}
        self._producer, self._topic, self._max_bytes = producer, topic, max_bytes
        self._lanes: list[_Lane] = []
        self._bytes = 0
        self._requests = 0
        self.away = False
        """True from a failed or timed-out acknowledgement to the next good one."""

    async def start(self) -> None:
        """After the producer. KafkaError if the topic cannot be had."""
        count = len(await self._producer.partitions_for(self._topic))
        self._lanes = [_Lane(self._producer, self._topic, n) for n in range(count)]

    async def stop(self) -> None:
        for lane in self._lanes:
            lane.task.cancel()
        await asyncio.gather(*(lane.task for lane in self._lanes), return_exceptions=True)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """They end only by `stop` or by a fault of the program."""
        return [lane.task for lane in self._lanes]

    @property
    def failed(self) -> BaseException | None:
        """The error that ended a lane: a fault of the program, after which nothing can be sent."""
        for lane in self._lanes:
            if lane.task.done() and not lane.task.cancelled():
                return lane.task.exception()
        return None

    @contextlib.contextmanager
    def reserve(self, size: int, owner: str = "") -> Iterator[None]:
        """Room for a request body of `size` bytes while it is worked. Overloaded or BrokerAway: come again."""
        share = self._shares.get(owner) or _Share()
        if share.requests and share.size + size > self._max_bytes // SHARE:
            raise Overloaded(f"{share.size} bytes of this organisation are under way; finish them first")
        if share.requests >= self._max_requests:
            raise Overloaded(f"{share.requests} requests of this organisation are open; finish them first")
        if self.away and self._requests:
            raise BrokerAway("the broker is away; one request at a time tries whether it is back")
        if self._bytes + size > self._max_bytes and self._requests:
            raise Overloaded(f"{self._bytes} bytes are under way; the hub takes {self._max_bytes}")
        if self._stuck():
            raise Overloaded(f"the broker has not acknowledged anything for {STUCK_S:.0f} s")
        self._take(share, owner, size, 1)
        try:
            yield
        finally:
            self._take(share, owner, -size, -1)

    def _take(self, share: _Share, owner: str, size: int, requests: int) -> None:
        self._bytes += size
        self._requests += requests
        share.size += size
        share.requests += requests
        if share.requests:
            self._shares[owner] = share
        else:
            self._shares.pop(owner, None)

    def _stuck(self) -> bool:
        oldest = min((s for lane in self._lanes if (s := lane.sending_since) is not None), default=None)
        return not self.away and oldest is not None and time.monotonic() - oldest > STUCK_S

    async def send(self, lines: Sequence[KeyedLine], owner: str = "") -> None:
        """Returns when the broker has acknowledged every line. BrokerAway: not all of them, as far as is known."""
        lanes: dict[int, list[KeyedLine]] = {}
        for line in lines:
            lanes.setdefault(clients.partition_of(line[0], len(self._lanes)), []).append(line)
        parcels = []
        for number, part in lanes.items():
            parcel = _Parcel(part, owner)
            self._lanes[number].put(parcel)
            parcels.append(parcel)
        done, late = await asyncio.wait([p.done for p in parcels], timeout=ACK_WAIT_S)
        errors = [e for future in done if (e := future.exception())]
        if not late and not errors:
            self.away = False
            return
        for parcel in parcels:
            parcel.abandoned = True
        if not self.away:
            cause = type(errors[0]).__name__ if errors else f"no answer within {ACK_WAIT_S:.0f} s"
            log.warning("the broker did not acknowledge: %s", cause)
        self.away = True
        raise BrokerAway("the broker did not acknowledge; send the same events again, with the same ids")
