"""What operators did and were refused: `hub.audit`, by filter, the newest first."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from hub.config import Settings
from hub.control.audit import AuditEntry, Result
from hub.kafka.tail import Record, opened
from hub.kafka.topics import AUDIT

log = logging.getLogger(__name__)

_RANK: dict[Result, int] = {"begun": 0, "refused": 1, "failed": 1, "done": 2}
"""Of the entries of one act the one that tells most counts: it may have been done and its writer not know it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is empty admits all. Times: epoch milliseconds, UTC.

    who, target: a part of the text (`lan`, `subscriber/national`).
    action: the word, or its beginning with the dot (`subscriber.`).
    """

    who: str = ""
    action: str = ""
    target: str = ""
    result: Result | None = None
    since_ms: int = 0
    until_ms: int = 0

    def admits(self, entry: AuditEntry) -> bool:
        at_ms = entry.at.timestamp() * 1000
        return (
            (not self.who or self.who in entry.who)
            and (not self.action or self._is_action(entry.action))
            and (not self.target or self.target in str(entry.target))
            and (self.result is None or entry.result == self.result)
            and at_ms >= self.since_ms
            and (not self.until_ms or at_ms < self.until_ms)
        )

    def _is_action(self, action: str) -> bool:
        return action.startswith(self.action) if self.action.endswith(".") else action == self.action


async def entries(settings: Settings, wanted: Wanted, limit: int | None = None) -> list[AuditEntry]:
    """At most `limit`, the newest first; each act once. TopicError."""
    acts: dict[str, AuditEntry] = {}
    async with opened(settings) as tail:
        parts = await tail.partitions(AUDIT)
        tail.begin(await (tail.since(parts, wanted.since_ms) if wanted.since_ms else tail.beginnings(parts)))
        async for _, records in tail.to_end():
            _add(acts, records)
    found = [entry for entry in acts.values() if wanted.admits(entry)]
    return heapq.nlargest(len(found) if limit is None else limit, found, key=lambda entry: entry.at)


def _add(acts: dict[str, AuditEntry], records: Iterable[Record]) -> None:
    for record in records:
        try:
            entry = AuditEntry.model_validate_json(record.value or b"")
        except ValidationError as error:
            place = f"{record.topic} partition {record.partition} offset {record.offset}"
            log.error("%s is no audit entry and was left out: %s", place, error.errors()[0]["msg"])
            continue
        known = acts.get(entry.id)
        if known is None or _RANK[entry.result] >= _RANK[known.result]:
            acts[entry.id] = entry
