"""How long to wait before the next try: doubling, with a cap and jitter; a portal's Retry-After counts, clamped."""

from __future__ import annotations

import random
from collections.abc import Callable


def delay(
    attempt: int,
    base: float,
    cap: float,
    retry_after: float | None = None,
    jitter: Callable[[float, float], float] = random.uniform,
) -> float:
    """Seconds from now. `attempt` 1 for the first that failed.

    Half of the doubled time is fixed, half is jitter, so that a crowd that failed together does not come back together.
    Retry-After is never undercut, and never honoured beyond `cap` (a portal's wrong header must not stop us for days).
    """
    doubled = min(cap, base * 2.0 ** min(attempt - 1, 32))
    own = doubled / 2 + jitter(0.0, doubled / 2)
    if retry_after is None:
        return own
    return min(cap, max(retry_after, base)) + jitter(0.0, min(base, 1.0))
