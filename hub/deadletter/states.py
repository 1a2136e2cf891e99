"""What has become of a dead letter: a record of its own in `hub.dead-letter-states`, key = the letter's id.

No record: the letter is open. The topic is compacted, and what is older than any letter can be is deleted, so it holds
at most one record for each letter (docs/decisions/0027-the-state-of-a-dead-letter.md).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from aiokafka import AIOKafkaProducer
from pydantic import BaseModel, ConfigDict, ValidationError

from hub.kafka.topics import LETTER_STATES

log = logging.getLogger(__name__)

State = Literal["replayed", "skipped", "closed"]


class LetterState(BaseModel):
    """state: `replayed` (sent back), `skipped` (given up, what waited behind it goes on), `closed` (done otherwise).

    act:       id of the audit entry that tells who did it and why.
    partition, offset: where in hub.dead-letters the letter stood. One with the same id that stands further on came
               later, of a replay that failed for the same reason: it is open.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    letter: str
    state: State
    act: str
    at: datetime
    who: str
    partition: int
    offset: int


def read_state(value: bytes) -> LetterState | None:
    """None, and a word in the log, for a record that cannot be read: its letter counts as open."""
    try:
        return LetterState.model_validate_json(value)
    except ValidationError as error:
        log.error("a record of %s is not usable and was left out: %s", LETTER_STATES, error.errors()[0]["msg"])
        return None


async def write_states(producer: AIOKafkaProducer, states: Iterable[LetterState]) -> None:
    """Returns when the broker has confirmed them."""
    pending = [
        await producer.send(LETTER_STATES, one.model_dump_json().encode(), key=one.letter.encode()) for one in states
    ]
    for one in pending:
        await one
