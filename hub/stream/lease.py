"""Is this process still the owner? Asked before each state write.

Comparing group generations is no answer: a process that was frozen beyond its session wakes up with the generation it
fell asleep with. What counts is how long ago the group's coordinator last answered a heartbeat: it keeps a member for
the session time counted from there, so within half of that nobody else owns our partitions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from hub.stream.errors import LeaseError

_RETRY_S = 0.2
Clock = Callable[[], float]


def clock() -> float:
    """Seconds that also pass while the machine is suspended, where the system can tell."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """heartbeat:  asks the coordinator. True: we are a member. False: no longer. None: no answer.

    session_s:  the group's session time.
    patience_s: how long an owner waits for an answer before it gives up, beyond the session time.
    """

    def __init__(
        self, heartbeat: Callable[[], Awaitable[bool | None]], session_s: float, patience_s: float, clock: Clock = clock
    ) -> None:
        self._heartbeat = heartbeat
        self._valid_s = session_s / 2
        self._give_up_s = session_s + patience_s
        self._clock = clock
        self._renewed: float | None = None

    def drop(self) -> None:
        """A new assignment: the next write asks anew."""
        self._renewed = None

    async def held(self, live: Callable[[], bool]) -> bool:
        """True: write now. False: the work was taken from us meanwhile, leave it (`live` says so, or soon will).

        LeaseError: nobody answers; the process had better end.
        """
        began = self._clock()
        while live():
            if self._renewed is not None and self._clock() - self._renewed < self._valid_s:
                return True
            asked = self._clock()
            answer = await self._heartbeat()
            if answer is False:
                return False
            if answer:
                self._renewed = asked  # not when the answer came: the coordinator counts from our request
                continue
            if self._clock() - began > self._give_up_s:
                raise LeaseError(f"no heartbeat was answered for {self._give_up_s:.0f} s: ownership cannot be shown")
            await asyncio.sleep(_RETRY_S)
        return False
