"""What can be wrong with a topic that is read: errors that end the reading, and gaps that it goes on after.

TopicError
├── NoSuchTopic     it does not exist, or was deleted while it was read
├── LogCut          it ends before the place that was read already: made anew, or cut off
├── RecordDamaged   bytes that no client can read, named by their place
└── NoAnswer        the broker did not answer for as long as the reader may wait
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aiokafka import TopicPartition

from hub.errors import BrokerAway, HubError
from hub.kafka import topics

log = logging.getLogger(__name__)


class TopicError(HubError):
    """A topic cannot be read on; the message names place, cause and what to do."""


class NoSuchTopic(TopicError):
    def __init__(self, topic: str, when: str = "") -> None:
        super().__init__(f"topic {topic} is missing{when}; run `hub topics ensure`")


class LogCut(TopicError):
    def __init__(self, part: TopicPartition, at: int, end: int) -> None:
        super().__init__(
            f"{_place(part)} ends at offset {end}, but was read up to {at} before: the topic was made anew or its end "
            "was lost; what was made from it no longer fits and must be built again"
        )


class RecordDamaged(TopicError):
    def __init__(self, part: TopicPartition, at: int, why: str) -> None:
        super().__init__(
            f"{_place(part)} cannot be read from offset {at} on: {why}; mend the broker's disk, or delete the records "
            "up to the damage with `kafka-delete-records`"
        )


class NoAnswer(TopicError, BrokerAway):
    """The broker did not answer within a time; nothing was written."""

    def __init__(self, what: str, waited_s: float) -> None:
        super().__init__(f"{what}: no answer from the broker for {waited_s:.0f} s; is it away?")


@dataclass(frozen=True, slots=True)
class Gap:
    """Offsets first to next-1 hold no record that can be read.

    deleted: the beginning moved meanwhile (retention, DeleteRecords). missing: nothing that is known explains it.
    """

    part: TopicPartition
    first: int
    next: int
    why: Literal["deleted", "missing"]

    def __str__(self) -> str:
        told = {
            "deleted": "were deleted by retention before they were read; the reading goes on from the new beginning",
            "missing": "are missing, and neither retention nor compaction explains it (a marker of a transaction does, "
            "if any was ever used here); compare with a replica or a backup",
        }
        return f"{_place(self.part)}: offsets {self.first} to {self.next - 1} {told[self.why]}"


Tell = Callable[[Gap], None]
"""What is done with a gap."""


def log_gap(gap: Gap) -> None:
    log.error("%s", gap)


def is_whole(topic: str, transactions: bool) -> bool:
    """Whether every offset of that topic has a record, so that a hole must be told.

    Not so where records are removed by key (compaction), and where transactions leave markers and aborted records.
    """
    return not transactions and not topics.has_holes(topic)


def _place(part: TopicPartition) -> str:
    return f"{part.topic} partition {part.partition}"
