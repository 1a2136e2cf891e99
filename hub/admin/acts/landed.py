"""What a long act had sent when it was killed, and did not know of: it is not sent again.

Read from the topics themselves, from a little before the act's record was last written. Only a sender that was frozen,
not killed, can come after this reading; then one chunk stands there twice, under the same ids.
"""

from __future__ import annotations

import json

from hub.admin.acts.run import Run
from hub.deadletter.record import REPLAY_OF
from hub.kafka.tail import Record, opened
from hub.kafka.topics import INGRESS, REQUESTS

MARGIN_MS = 60_000
"""A chunk may have been on its way for so long while the beat wrote the record."""


async def landed(run: Run) -> frozenset[str]:
    """Ids of orders, and of letters that went to hub.ingress, since then; none for an act that only begins."""
    if run.is_new:
        return frozenset()
    since_ms = max(run.record.began.timestamp() * 1000, run.stood_at.timestamp() * 1000 - MARGIN_MS)
    found: set[str] = set()
    async with opened(run.settings) as tail:
        parts = await tail.partitions(INGRESS, REQUESTS)
        tail.begin(await tail.since(parts, int(since_ms)))
        async for _, records in tail.to_end():
            found.update(id for record in records if (id := _id(record)))
    return frozenset(found)


def _id(record: Record) -> str:
    if record.topic == INGRESS:
        return next((raw.decode(errors="replace") for name, raw in record.headers if name == REPLAY_OF), "")
    try:
        return str(json.loads(record.value or b"{}").get("id", ""))
    except (ValueError, AttributeError):
        return ""
