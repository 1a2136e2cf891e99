"""One breaker per portal: after repeated failures nothing is attempted for a while, then one try tells.

What is not attempted because of an open breaker is no attempt: it costs no dossier a try and leaves no record.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

LONGEST = 12
"""The open time doubles with each failed trial, up to so many times the setting."""


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Breaker:
    """failures: consecutive failed calls that open it. open_s: how long it stays open the first time.

    `clock` gives monotonic seconds. `on_close` is called when the portal is back after an outage.
    """

    def __init__(
        self,
        failures: int,
        open_s: float,
        clock: Callable[[], float] = time.monotonic,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._limit = failures
        self._open_s = open_s
        self._clock = clock
        self.on_close = on_close
        self._failed = 0
        self._opened = 0
        self._until: float | None = None
        self._rest_until = 0.0
        self._trial = False

    @property
    def state(self) -> State:
        if self._until is None:
            return State.CLOSED
        return State.OPEN if self._clock() < self._until else State.HALF_OPEN

    def wait(self) -> float:
        """Seconds until a call may be made; 0 now; infinite while the trial of a half-open breaker is under way."""
        now = self._clock()
        if self._trial:
            return float("inf")
        return max(0.0, self._rest_until - now, (self._until or 0.0) - now)

    def begin(self) -> None:
        """A call is made now (`wait` said 0). In a half-open breaker it is the one trial."""
        if self._until is not None:
            self._trial = True

    def success(self) -> None:
        was_open = self._until is not None
        self._failed = self._opened = 0
        self._until, self._trial = None, False
        if was_open:
            self.on_close()

    def failure(self) -> None:
        """A call failed for a reason of the portal or the way to it, not of the event."""
        self._failed += 1
        if self._trial or (self._until is None and self._failed >= self._limit):
            self._until = self._clock() + self._open_s * min(LONGEST, 2**self._opened)
            self._opened += 1
            self._trial = False

    def undecided(self) -> None:
        """A call was cut off by ourselves: it tells nothing, another may be the trial."""
        self._trial = False

    def rest(self, seconds: float) -> None:
        """The portal asked for quiet (429 with Retry-After): no call to it before that."""
        self._rest_until = max(self._rest_until, self._clock() + seconds)
