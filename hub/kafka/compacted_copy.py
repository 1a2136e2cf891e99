"""A local copy of compacted topics: read whole at start, then followed, with how far it lags behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence

from hub.config import Settings
from hub.kafka.tail import Record, Tail, opened

Apply = Callable[[str, bytes, bytes | None], None]
"""topic, key, value; None: removed."""


class Follower:
    """Gives every record to `apply`, each key in its order. One task at a time uses it."""

    def __init__(self, tail: Tail, apply: Apply) -> None:
        self._tail, self._apply = tail, apply
        self._caught_up_at = time.time()

    @property
    def age_s(self) -> float:
        """Seconds since it was last at the topics' end."""
        return time.time() - self._caught_up_at

    async def load(self) -> None:
        """To the end that the topics have now."""
        async for _, records in self._tail.to_end():
            self._take(records)
        self._caught_up_at = time.time()

    async def follow(self, stop: asyncio.Event) -> None:
        """Until `stop`; call after `load`."""
        while not stop.is_set():
            for records in (await self._tail.poll()).values():
                self._take(records)
            self._caught_up_at = self._tail.caught_up_at or self._caught_up_at

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.key is not None:
                self._apply(record.topic, record.key, record.value)


@contextlib.asynccontextmanager
async def following(settings: Settings, topics: Sequence[str], apply: Apply) -> AsyncIterator[Follower]:
    """A follower that is loaded. TopicError: the topics cannot be had."""
    async with opened(settings) as tail:
        await tail.from_beginning(*topics)
        follower = Follower(tail, apply)
        await follower.load()
        yield follower
