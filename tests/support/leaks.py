"""What a test may not leave behind: an open connection to Kafka, a task that still runs.

The test that leaves it is red. Without this, Python tells of it whenever memory is freed, in the middle of some other test.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator

import pytest
from aiokafka.conn import AIOKafkaConnection

THREAD_S = 2.0
"""The engine's consumer closes its connections in a thread of its own."""


def open_connections() -> list[AIOKafkaConnection]:
    """Those that this process has open. What nothing refers to is freed first: Python warns, and the test fails."""
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is AIOKafkaConnection and one.connected()]


def running_tasks() -> list[asyncio.Task[object]]:
    """Tasks of this event loop besides the caller's own."""
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def watched(request: pytest.FixtureRequest) -> bool:
    """Only tests with a broker: looking costs 0.1 s."""
    return any(request.node.get_closest_marker(mark) for mark in ("broker", "e2e"))


def closed_at_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """Body of an autouse fixture."""
    yield
    if not watched(request):
        return
    deadline = time.monotonic() + THREAD_S
    while (left := open_connections()) and time.monotonic() < deadline:
        time.sleep(0.1)
    for connection in left:
        connection._reader = None  # told once; the next test shall not hear of it
    assert not left, f"left open by this test: {left}"
