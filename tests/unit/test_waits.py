"""A cancelled wait ends, whatever else happened at the same moment: else a role that should die goes on half dead."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.delivery.workers import Dispatcher

ROOT = Path(__file__).parents[2]


def test_nobody_waits_with_wait_for() -> None:
    """Before Python 3.12 it forgets the cancellation if the awaited thing was done in that moment."""
    found = [
        str(path.relative_to(ROOT))
        for folder in ("hub", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts and re.search(r"\basyncio\.wait_for\(", path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("turns", range(5))
async def test_the_dispatcher_ends_when_it_is_cancelled_while_something_changes(turns: int) -> None:
    """The way of the hang: an attempt ends (`changed`) in the moment in which a write has failed."""
    desk = SimpleNamespace(
        name="test",
        limits=SimpleNamespace(workers=1),
        changed=asyncio.Event(),
        subscriber=SimpleNamespace(paused=False),
        breaker=SimpleNamespace(wait=lambda: 0.0),
        partitions=SimpleNamespace(take=lambda now: None, next_due=lambda: time.time() + 60),
    )
    task = asyncio.create_task(Dispatcher(cast(Any, desk), cast(Any, None)).run())
    for _ in range(5):
        await asyncio.sleep(0)
    desk.changed.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=30.0)
    if not done:
        task.cancel()
        await asyncio.wait([task], timeout=1.0)
    assert done, "it went on"
