"""What the engine's transport and consumer thread need of the engine, and what they tell it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from faust.types.tuples import TP

from hub.config import Settings
from hub.stream.chunk_runner import Job
from hub.stream.offset_ledger import Ledger
from hub.stream.stage import EngineConfig

FAUST_LOG = logging.getLogger("faust.engine")
"""Where Faust's classes tell of themselves."""


@dataclass(frozen=True, slots=True)
class Link:
    """What the transport needs to know and to tell.

    drained:  wait (within the rebalance time) until no chunk is in work.
    pausing:  partitions are about to be taken away: no new ticks.
    assigned: these partition numbers are ours from now on.
    dispatch: start working a chunk.
    """

    config: EngineConfig
    settings: Settings
    role: str
    ledger: Ledger[TP]
    drained: Callable[[], Awaitable[Any]]
    pausing: Callable[[], None]
    assigned: Callable[[frozenset[int]], None]
    dispatch: Callable[[Job], Awaitable[None]]
