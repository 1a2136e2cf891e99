"""The local copy of `hub.control`: read whole at start, then followed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from aiokafka import TopicPartition
from pydantic import ValidationError

from hub.config import Settings
from hub.control.records import KINDS, BackfillProgress, Organisation, Record, SatisfactionSent, Subscriber
from hub.kafka.tail import Record as KafkaRecord
from hub.kafka.tail import Tail
from hub.kafka.topics import CONTROL

log = logging.getLogger(__name__)
R = TypeVar("R", bound=Record)


class Directory:
    """Organisations, subscribers and pauses as they stand now. Not thread-safe; lives in one event loop.

    `on_change` callbacks get (kind, name) after each change that came while following.
    """

    def __init__(self, settings: Settings) -> None:
        # A change that is not committed is none (hub/control/changes.py).
        self._tail = Tail(settings, isolation_level="read_committed")
        self._records: dict[str, dict[str, Record]] = {kind: {} for kind in KINDS}
        self._started = False
        self.on_change: list[Callable[[str, str], None]] = []

    def all(self, model: type[R]) -> dict[str, R]:
        """name -> record of that model."""
        kind = next(k for k, m in KINDS.items() if m is model)
        return self._records[kind]  # type: ignore[return-value]

    @property
    def organisations(self) -> dict[str, Organisation]:
        return self.all(Organisation)

    @property
    def subscribers(self) -> dict[str, Subscriber]:
        return self.all(Subscriber)

    @property
    def backfills(self) -> dict[str, BackfillProgress]:
        return self.all(BackfillProgress)

    @property
    def satisfaction(self) -> dict[str, SatisfactionSent]:
        return self.all(SatisfactionSent)

    async def load(self) -> None:
        """Reads the topic from its beginning, or where it was left, to its present end. TopicError."""
        if not self._started:
            await self._tail.start()
            self._started = True
            await self._tail.from_beginning(CONTROL)
        async for _, records in self._tail.to_end():
            self._take(records, notify=False)

    async def follow(self, stop: asyncio.Event) -> None:
        """Keeps the copy current until `stop`; call after `load`."""
        async for _, records in self._tail.onwards(stop):
            self._take(records, notify=True)

    @property
    def end(self) -> int:
        """The offset after the last one that was read."""
        return self._tail.position(TopicPartition(CONTROL, 0))

    async def close(self) -> None:
        await self._tail.stop()
        self._started = False

    def _take(self, records: list[KafkaRecord], notify: bool) -> None:
        for record in records:
            kind, _, name = (record.key or b"").decode(errors="replace").partition("/")
            if kind not in KINDS:
                continue
            self._apply(kind, name, record.value)
            if notify:
                for callback in self.on_change:
                    callback(kind, name)

    def _apply(self, kind: str, name: str, value: bytes | None) -> None:
        if value is None:
            self._records[kind].pop(name, None)
            return
        try:
            self._records[kind][name] = KINDS[kind].model_validate_json(value)
        except ValidationError as error:
            # A control message must never stop the data path.
            log.error("control record %s/%s is not usable and was left out: %s", kind, name, error.errors()[0]["msg"])


@contextlib.asynccontextmanager
async def directory(settings: Settings) -> AsyncIterator[Directory]:
    """A loaded directory, closed at the end."""
    copy = Directory(settings)
    try:
        await copy.load()
        yield copy
    finally:
        await copy.close()
