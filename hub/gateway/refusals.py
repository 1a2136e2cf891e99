"""Callers without the operators' token: an entry each in the audit, but never a flood of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from hub.config import Settings
from hub.control.audit import Actor, Target, record
from hub.errors import HubError

log = logging.getLogger(__name__)

EACH_MINUTE = 10
"""Entries for one address."""
ALL_MINUTE = 60
"""Entries in all: a caller may have many addresses."""
ADDRESSES = 1_000
WAIT_S = 5.0
NO_RIGHT = "unauthenticated: the operators' token is missing or wrong"


@dataclass(slots=True)
class _Seen:
    minute: int = 0
    told: int = 0
    left_out: int = 0


class Refusals:
    """Counts by address and in all; what is left out is told by the next entry."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._all = _Seen()

    def admit(self, address: str, now_s: float) -> int | None:
        """None: no entry for this one. Else how many of this address were left out since the last entry."""
        seen, minute = self._seen.setdefault(address, _Seen()), int(now_s // 60)
        self._seen.move_to_end(address)
        if len(self._seen) > ADDRESSES:
            self._seen.popitem(last=False)
        for one in (seen, self._all):
            if one.minute != minute:
                one.minute, one.told = minute, 0
        if seen.told >= EACH_MINUTE or self._all.told >= ALL_MINUTE:
            seen.left_out += 1
            return None
        seen.told += 1
        self._all.told += 1
        left_out, seen.left_out = seen.left_out, 0
        return left_out

    async def tell(self, settings: Settings, by: Actor, method: str, path: str) -> None:
        """The caller's answer waits for it a moment, and does not hang on it."""
        left_out = self.admit(by.where, time.time())
        if left_out is None:
            return
        detail = f"{left_out} more were left out" if left_out else ""
        entry = by.entry("http.call", Target(kind="http", name=f"{method} {path}"), detail)
        try:
            async with asyncio.timeout(WAIT_S):
                await record(settings, entry.ended("refused", NO_RIGHT))
        except (KafkaError, HubError, TimeoutError) as error:
            log.error("a refused call could not be told to the audit (%s)", type(error).__name__)
