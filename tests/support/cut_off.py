"""Cancels a coroutine at the await of one's choice, as an event loop would: for ends in the middle of a start."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any


async def cut_off(work: Coroutine[Any, Any, Any], at: int, settled_s: float | None = None) -> bool:
    """Runs `work` in a task that is cancelled at its await number `at`; False if it never came so far.

    settled_s: what still runs after so long has started and only waits; it is cancelled then.
    """
    task = asyncio.ensure_future(_steps(work, at))
    _, early = await asyncio.wait([task], timeout=settled_s)
    if early:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return task.cancelled() and not early


@types.coroutine
def _steps(work: Coroutine[Any, Any, Any], at: int) -> Generator[Any, Any, Any]:
    """Each yield is one await; the task cancels what it is just about to wait for."""
    number, error = 0, None
    while True:
        try:
            waited = work.throw(error) if error is not None else work.send(None)
        except StopIteration as end:
            return end.value
        if number == at:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        number, error = number + 1, None
        try:
            yield waited
        except BaseException as raised:
            error = raised
            if isinstance(raised, asyncio.CancelledError):
                at = -1  # once is enough: what comes now is its end
