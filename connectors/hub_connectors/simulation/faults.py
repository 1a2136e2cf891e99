"""Which fault a call meets: by rate with a seed, by order (`force`), or because the portal is down."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.untyped import JsonObject

FAULTS = {
    "hang": "no answer for hang_s, then the connection is closed; nothing is stored",
    "http_500": "500 with a short text; nothing is stored",
    "http_502": "502 with a gateway's HTML page; nothing is stored",
    "http_429": "429 with Retry-After; nothing is stored",
    "html": "200 with an HTML page; nothing is stored",
    "empty": "200 without a body; nothing is stored",
    "reset": "the connection is reset; nothing is stored",
    "dropped_reply": "the call is carried out and stored, then the connection is closed without an answer",
    "expired_session": "the session dies before this call",
    "duplicated": "the call arrives twice, as from a proxy; both are carried out, the second one is answered",
    "unreachable_link": "a call for a file of the store beside the portal is reset (national portal)",
    "partial_batch": "of several entries the first half is stored, then the answer is an error (national portal)",
}
OF_FILES = "unreachable_link"
"""Met by calls for files only, and the only fault that they meet."""
DownMode = Literal["reset", "silent", "http_503"]


class FaultOrder(BaseModel):
    """What POST /_admin/faults takes; what is left out stays as it is.

    rate: share of calls (0 to 1) that meet a fault. kinds: which, drawn evenly. seed: starts the draw anew.
    force: kinds for the next calls, first in first out, before any draw; "none" lets a call pass. hang_s,
    retry_after_s: lengths in seconds.
    """

    model_config = ConfigDict(extra="forbid")

    rate: float | None = Field(None, ge=0, le=1)
    kinds: tuple[str, ...] | None = None
    seed: int | None = None
    force: tuple[str, ...] = ()
    hang_s: float | None = Field(None, ge=0)
    retry_after_s: int | None = Field(None, ge=0)

    @field_validator("kinds", "force")
    @classmethod
    def _known(cls, kinds: Sequence[str] | None) -> Sequence[str] | None:
        for kind in kinds or ():
            if kind not in FAULTS and kind != "none":
                raise ValueError(f"no fault {kind!r}; known: {', '.join(FAULTS)}")
        return kinds


class FaultPlan:
    """Draws the fault of each call and counts them; `counts` by kind, calls while down under `down`."""

    def __init__(self, kinds: Sequence[str] = (), rate: float = 0.0, seed: int = 1) -> None:
        self.counts: Counter[str] = Counter()
        self.calls = 0
        self.down: DownMode | None = None
        self.hang_s = 60.0
        self.retry_after_s = 1
        self._kinds, self._rate, self._seed = tuple(kinds), rate, seed
        self._random, self._of_files = random.Random(seed), random.Random(seed)
        self._forced: deque[str] = deque()

    def order(self, order: FaultOrder) -> None:
        self._kinds = self._kinds if order.kinds is None else order.kinds
        self._rate = self._rate if order.rate is None else order.rate
        self.hang_s = self.hang_s if order.hang_s is None else order.hang_s
        self.retry_after_s = self.retry_after_s if order.retry_after_s is None else order.retry_after_s
        self._forced.extend(order.force)
        if order.seed is not None:
            self._seed = order.seed
            self._random, self._of_files = random.Random(order.seed), random.Random(order.seed)

    def draw(self) -> str | None:
        """The fault of this call, "down", or None."""
        self.calls += 1
        kind = self._next()
        if kind:
            self.counts[kind] += 1
        return kind

    def draw_file(self) -> str | None:
        """The fault of a call for a file: `unreachable_link` or None. Drawn apart, so that the order of the portal's
        own faults stays the same however often files are asked for."""
        if OF_FILES in self._forced:
            self._forced.remove(OF_FILES)
        elif OF_FILES not in self._kinds or self._of_files.random() >= self._rate:
            return None
        self.counts[OF_FILES] += 1
        return OF_FILES

    def _next(self) -> str | None:
        if self.down:
            return "down"
        forced = next((kind for kind in self._forced if kind != OF_FILES), None)
        if forced:
            self._forced.remove(forced)
            return None if forced == "none" else forced
        kinds = [kind for kind in self._kinds if kind != OF_FILES]
        if kinds and self._random.random() < self._rate:
            return self._random.choice(kinds)
        return None

    def report(self) -> JsonObject:
        """What GET /_admin/faults answers."""
        return {
            "calls": self.calls,
            "counts": dict(self.counts),
            "down": self.down,
            "kinds": list(self._kinds),
            "rate": self._rate,
            "seed": self._seed,
            "forced": list(self._forced),
            "hang_s": self.hang_s,
            "retry_after_s": self.retry_after_s,
        }
