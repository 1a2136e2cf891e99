"""What a test may not leave behind: an open connection to Kafka, a task that still runs.

The test that leaves it is red. Otherwise Python tells of it when memory is freed, in the middle of some other test.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Iterator
from typing import Any

from aiokafka.conn import AIOKafkaConnection

THREAD_S = 2.0
"""The engine's consumer closes its connections in a thread of its own."""

_made: weakref.WeakSet[AIOKafkaConnection] = weakref.WeakSet()
_init = AIOKafkaConnection.__init__


def _noted(self: AIOKafkaConnection, *args: Any, **how: Any) -> None:
    _made.add(self)
    _init(self, *args, **how)


AIOKafkaConnection.__init__ = _noted


def open_connections() -> list[AIOKafkaConnection]:
    """Those of this process. One that nothing refers to any more and that was not freed yet is among them."""
    return [one for one in list(_made) if one.connected()]


def running_tasks() -> list[asyncio.Task[Any]]:
    """Tasks of this event loop besides the caller's own."""
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def closed_at_end() -> Iterator[None]:
    """Body of an autouse fixture."""
    yield
    deadline = time.monotonic() + THREAD_S
    while (left := open_connections()) and time.monotonic() < deadline:
        time.sleep(0.1)
    for connection in left:
        _made.discard(connection)  # told once; the next test shall not hear of it
    assert not left, f"left open by this test: {left}"
