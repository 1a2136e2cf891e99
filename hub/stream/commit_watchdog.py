"""Does the broker hold as committed what was worked? When the two part for too long, the role stops loudly.

A chunk lost between fetch and lane, a commit that is refused again and again, a coordinator that lies: all look the
same from here, work goes on (or has silently ended) and the committed offset does not follow. Faust's own books are
no help, they count a commit that failed as done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import TopicPartition

from hub.observe import metrics
from hub.stream.errors import Parted
from hub.stream.offset_ledger import Ledger

POLL_S = 2.0


class Watchdog:
    """owned:     the partitions to watch.
    committed: asks the broker.
    busy:      whether a partition's lane is at work: a long chunk is no lost chunk.
    idle:      whether no lane is: as long as one is, a chunk of another may still wait for its turn.
    end:       the log's end as last heard of, for the lag metric.
    flowing:   whether partitions are assigned and being read (or a rebalance would have to end soon).
    limit_s:   how long the two may be apart.
    """

    def __init__(
        self,
        role: str,
        ledger: Ledger[TopicPartition],
        owned: Callable[[], Sequence[TopicPartition]],
        committed: Callable[[Sequence[TopicPartition]], Awaitable[dict[TopicPartition, int | None]]],
        busy: Callable[[int], bool],
        idle: Callable[[], bool],
        end: Callable[[TopicPartition], int | None],
        flowing: Callable[[], bool],
        limit_s: float,
    ) -> None:
        self._role = role
        self._ledger = ledger
        self._owned = owned
        self._committed = committed
        self._busy = busy
        self._idle = idle
        self._end = end
        self._flowing = flowing
        self._still_since: float | None = None
        self._limit_s = limit_s
        # What a partition hangs at (an offset that does not move), and since when.
        self._hanging: dict[TopicPartition, tuple[tuple[str, int | None], float]] = {}

    async def run(self) -> None:
        """Until cancelled. Parted: a partition has hung for longer than the limit."""
        while True:
            await asyncio.sleep(POLL_S)
            self.look_at_flow(time.monotonic())
            owned = self._owned()
            if owned:
                self.look(await self._committed(owned), time.monotonic())

    def look_at_flow(self, now: float) -> None:
        """Parted if nothing is read for longer than the limit: Faust gives up a resumption that takes too long."""
        if self._flowing():
            self._still_since = None
            return
        self._still_since = now if self._still_since is None else self._still_since
        if now - self._still_since > self._limit_s:
            raise Parted(f"no partitions are being read for {now - self._still_since:.0f} s: a rebalance does not end")

    def look(self, committed: dict[TopicPartition, int | None], now: float) -> None:
        """One round over the broker's answer; `now` is a monotonic time. Parted as `run`."""
        self._hanging = {tp: since for tp, since in self._hanging.items() if tp in committed}
        lag: dict[str, int] = {}
        for tp, offset in committed.items():
            self._look_at(tp, offset, now)
            end = self._end(tp)
            if end is not None and offset is not None:
                lag[tp.topic] = lag.get(tp.topic, 0) + max(0, end - offset)
        for topic, records in lag.items():
            metrics.LAG_RECORDS.labels(self._role, topic).set(records)
        longest = max((now - since for _, since in self._hanging.values()), default=0.0)
        metrics.WATCHDOG_GAP_SECONDS.labels(self._role).set(longest)
        for tp, ((what, _), since) in self._hanging.items():
            if now - since > self._limit_s and (what == "committed" or self._idle()):
                raise Parted(
                    f"{tp.topic}/{tp.partition}: worked up to {self._ledger.processed(tp)}, committed {committed[tp]}, "
                    f"and no commit for {now - since:.0f} s"
                )

    def _look_at(self, tp: TopicPartition, committed: int | None, now: float) -> None:
        processed, oldest = self._ledger.processed(tp), self._ledger.oldest(tp)
        ahead = processed is not None and processed > (committed or 0)
        stuck = oldest is not None and not self._busy(tp.partition)
        if not (ahead or stuck):
            self._hanging.pop(tp, None)
            return
        at = ("committed", committed) if ahead else ("unfinished", oldest.first if oldest else None)
        known = self._hanging.get(tp)
        if known is None or known[0] != at:
            self._hanging[tp] = (at, now)
