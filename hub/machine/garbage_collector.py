"""Python's cyclic collector, where records come and go by reference count and nothing is ever in a cycle.

With Python's figures it took a third of the core's time and a quarter of the gateway's. It goes through a state of
millions of objects again and again: half the time of a restore, and a pause of a second or more for a million dossiers
whenever a full collection is due afterwards.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects between two searches for cycles (Python's own: 700, 10, 10). A chunk or a batch makes tens of thousands.
THRESHOLDS = (50_000, 20, 20)
# So many records make it worth setting them apart; what else is alive at that moment is set apart with them.
MANY = 50_000


def calm() -> None:
    """For a process that works records, once loaded: what is there is left alone, the rest is searched seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


@contextmanager
def resting() -> Iterator[None]:
    """No collections meanwhile: much is allocated, and all of it stays."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def set_apart(records: int) -> None:
    """After reading so many: the collector leaves alone what there is now. Reference counts free it all the same."""
    if records >= MANY:
        gc.freeze()
