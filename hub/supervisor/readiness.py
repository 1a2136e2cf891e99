"""What the whole hub waits for, in words, and telling it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping

from hub.supervisor.role_process import Child, State

log = logging.getLogger(__name__)

TELL_S = 5.0
"""What is waited for is told again when it has changed, this long after the last time."""
LOOK_S = 0.2


def waits_for(planned: Iterable[str], children: Mapping[str, Child], subscribers_read: bool) -> list[str]:
    """Role by role; nothing when the hub is up. subscribers_read: whether the plan names their deliveries yet."""
    out = []
    for name in planned:
        child = children.get(name)
        if child is None:
            out.append(f"{name} does not run")
        elif child.state is not State.READY:
            why = child.said if child.state is State.STARTING else child.reason
            out.append(f"{name}: {why or child.state}")
    return out if subscribers_read else [*out, "the subscribers, which are not read yet"]


async def tell(waiting: Callable[[], list[str]], roles: Callable[[], int]) -> None:
    """Logs what the start waits for, and when all is ready; then whenever that changes. Ends when cancelled."""
    began, told = time.monotonic(), ""
    while True:
        left = waiting()
        new = "waits for " + "; ".join(left) if left else f"all {roles()} roles are ready"
        if new != told:
            told = new
            log.info("%s", new if left else f"the hub is up: {new} ({time.monotonic() - began:.0f} s)")
            await asyncio.sleep(TELL_S if left else 0)
        await asyncio.sleep(LOOK_S)
