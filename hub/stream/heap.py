"""Python's cyclic collector and a state of millions of objects, none of which is ever in a cycle.

The collector goes through all of them again and again: half the time of a restore, and a pause of a second or more for
a million dossiers whenever a full collection is due afterwards.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# So many records make it worth setting them apart; what else is alive at that moment is set apart with them.
MANY = 50_000


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
