"""A Faust transport whose message is a chunk: up to `chunk_records` raw records of one partition.

Faust finds it by the broker URL's scheme, `chunked://`, through its entry-point group `faust.transports`. Faust keeps
the app, the agent and the group's membership; which offsets are handed out, finished and committed is our ledger's
business alone (docs/engine.md#findings). Everything here runs in the main loop but the aiokafka consumer, which
has Faust's consumer thread to itself, so that a long step does not keep heartbeats waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP, ConsumerMessage, Message

from hub.observe import metrics
from hub.stream.errors import EngineError
from hub.stream.faust_app.consumer_thread import ConsumerThread, link_of
from hub.stream.faust_app.link import FAUST_LOG
from hub.stream.offset_ledger import Item

_log = logging.getLogger(__name__)
_NO_PARTITION_WAIT_S = 0.02  # Faust's second would stall everything: its small buffers count chunks
_POLL_S = 0.5
_LAST_COMMIT_S = 5.0


class Chunk(ConsumerMessage):
    """records: aiokafka's, as they are. epoch: in which they were fetched. item: set when handed out."""

    records: Sequence[ConsumerRecord] = ()
    epoch = 0
    item: Item[TP] | None = None


class Consumer(driver.Consumer):
    """Chunks in, ledger offsets out."""

    logger = FAUST_LOG

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.link = link_of(self.app)
        self.ledger = self.link.ledger
        self._read_offset = _AcceptAll()
        self._deliver = self.callback
        self.callback = self._hand_out
        self._seek_due = False
        self._seeking = asyncio.Lock()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def in_thread(self, name: str, *args: Any, timeout_s: float) -> Any:
        """Call a coroutine of the consumer thread, past its method queue, where a fetch may be waiting."""
        method = getattr(self._thread, name)
        future = asyncio.run_coroutine_threadsafe(method(*args), self._thread.thread_loop)
        async with asyncio.timeout(timeout_s):
            return await asyncio.wrap_future(future)

    # --- in: fetch, cut, hand out ---

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Chunk]]:
        """Fetch once and yield chunks, partitions in turn. What is fetched and not delivered is sought again."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        if self._seek_due:
            await self._seek_again()
            if self._seek_due:  # it failed: nothing may be fetched from a position that is not known
                await self.sleep(_NO_PARTITION_WAIT_S)
                return
        # A copy, and never empty: aiokafka takes an empty set for "all", and Faust changes its own while we wait.
        active = set(self._get_active_partitions())
        if not active:
            await self.sleep(_NO_PARTITION_WAIT_S)
            return
        epochs, generation = {tp: self.ledger.epoch(tp) for tp in active}, self.app.consumer_generation_id
        records = await self._getmany(active_partitions=active, timeout=min(timeout, _POLL_S))
        for tp, chunk in _in_turns(records, self.link.config.chunk_records):
            if self.should_stop:
                return
            if not self.flow_active or generation != self.app.consumer_generation_id or tp not in self.assignment():
                self._seek_due = True
                return
            yield tp, self._message(tp, chunk, epochs[tp], generation)

    def _message(self, tp: TP, records: Sequence[ConsumerRecord], epoch: int, generation: int) -> Chunk:
        last = records[-1]
        message = Chunk(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type,
            None, None, None, None, 0, 0, tp, generation_id=generation,
        )  # fmt: skip
        message.records, message.epoch = records, epoch
        return message

    async def _hand_out(self, message: Message) -> None:
        """Into the ledger before the queue: a chunk lost from here on stops commits, and is never passed."""
        assert isinstance(message, Chunk)
        first = message.records[0].offset
        message.item = self.ledger.hand_out(message.tp, first, message.offset + 1, message.epoch)
        if message.item is None:
            self._seek_due = True  # a seek came in between; whatever position it left, fetch this again
            return
        await self._deliver(message)

    async def _seek_again(self) -> None:
        try:
            await self.perform_seek()
        except Exception as error:
            # No assignment now: the next one seeks. While there is one, it is tried again.
            self._seek_due = bool(self.assignment())
            self.log.warning("seek after a dropped fetch: %r", error)

    def leave(self, item: Item[TP]) -> None:
        """The chunk was left undone: none handed out after it is worked, all are fetched again from the commit."""
        if self.ledger.live(item):
            self._seek_due = True
            self.ledger.seek(item.part)

    async def perform_seek(self) -> None:
        """To the broker's committed offsets, or the earliest where nothing is committed; ends all epochs."""
        async with self._seeking:
            self._seek_due = False  # first: what is fetched and dropped from here on asks for another seek
            self.ledger.seek_all()
            committed = await self.seek_to_committed()
            tps = [TP(part.topic, part.partition) for part in committed]
            earliest = await self.earliest_offsets(*tps)
            fresh = {}
            for tp in tps:
                offset, start = committed[tp], earliest[tp]
                if not offset:  # aiokafka leaves such a partition where it is
                    fresh[tp] = start
                elif offset < start:
                    self.log.error("%s: records %s to %s were deleted before they were worked", tp, offset, start)
            if fresh:
                await self.seek_wait(fresh)
            self.ledger.seek_all()

    # --- out: commit what the ledger says ---

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit the ends of the finished prefixes. Only the broker's answer counts as committed."""
        offsets = self.ledger.to_commit(self.assignment())
        if not offsets:
            return False
        epochs = {tp: self.ledger.epoch(tp) for tp in offsets}
        if not await self._commit(offsets):
            return False
        self.ledger.confirmed(offsets, epochs)
        return True

    async def wait_empty(self) -> None:
        """Called before partitions are given back, and at the end: let the chunks in work finish, then commit them."""
        await self.link.drained()
        try:
            async with asyncio.timeout(_LAST_COMMIT_S):
                for _ in range(3):  # one may join a commit that began before the last chunk was finished
                    if not self.ledger.to_commit(self.assignment()):
                        break
                    await self.commit()
        except ConsumerNotStarted:  # stopped before it began
            return
        except TimeoutError:
            _log.error("the broker did not take the last commit; what was worked since the one before is worked again")

    def ack(self, message: Any) -> bool:
        """Faust's own acknowledgement (skipped messages): it finishes nothing."""
        message.acked = True
        return True

    async def on_task_error(self, exc: BaseException) -> None:
        """Faust would commit here."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's livelock alarms go by its own acks; ours is the watchdog."""

    # --- rebalance ---

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.link.pausing()
        if self.app.should_stop:
            await self.wait_empty()
        else:
            await super().on_partitions_revoked(revoked)  # drains and commits (stream_wait_empty)
        self._buffered_partitions.clear()  # else a late pressure-drop callback wakes a partition that is gone
        self.ledger.seek_all()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        if self.app.should_stop:
            return
        topics = {topic: {tp.partition for tp in assigned if tp.topic == topic} for topic in self.link.config.sources}
        owned = next(iter(topics.values()))
        if any(partitions != owned for partitions in topics.values()):
            await self.crash(EngineError(f"the sources' partitions are not assigned alike: {topics}"))
            return
        metrics.REBALANCES.labels(self.link.role).inc()
        self._buffered_partitions.clear()
        self.ledger.seek_all()
        self.link.assigned(frozenset(owned))
        await super().on_partitions_assigned(assigned, generation_id)


class Transport(driver.Transport):
    """What the entry point names."""

    Consumer = Consumer
    driver_version = "chunked"


class _AcceptAll(dict[Any, Any]):
    """Faust drops or "gaps" messages by its read offset; ours are kept by aiokafka's position and the epochs."""

    def __getitem__(self, key: Any) -> None:
        return None


def _in_turns(
    records: Mapping[Any, Sequence[ConsumerRecord]], size: int
) -> Iterator[tuple[TP, Sequence[ConsumerRecord]]]:
    """Chunks of at most `size`, one of each partition in turn: one's backlog does not keep the others waiting."""
    left = [(TP(part.topic, part.partition), found) for part, found in records.items() if found]
    at = 0
    while left:
        for tp, found in left:
            yield tp, found[at : at + size]
        at += size
        left = [(tp, found) for tp, found in left if len(found) > at]
