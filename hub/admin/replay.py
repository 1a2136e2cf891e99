"""Makes the record that takes a dead letter back, or that gives it up (the act: `hub/admin/acts/letters_back.py`).

What was refused before the core goes to `hub.ingress` again, with the same id and headers and `ce_replayof`. A letter
of stage `intake` passes the same check again, with the rights as they are now. A letter of stage `deliver` becomes an
order in `hub.requests`, so that it goes through its dossier's own queue and never overtakes.

The core keeps only accepted events in its dedupe ring, so a letter that it refused is judged anew; one that was taken
in meanwhile is dropped as a copy, and a `conflict` stays one until it gets an id of its own.
"""

from __future__ import annotations

from typing import Literal

from hub.control.directory import Directory
from hub.control.requests import Pointer, Request
from hub.deadletter.record import REPLAY_OF, DeadLetter
from hub.errors import BadRecord, Refused
from hub.events.envelope import HUB_SEQ, Headers, derived_id
from hub.intake.agency_record import Judge
from hub.kafka.topics import EVENTS, INGRESS, REQUESTS

Action = Literal["replay", "skip"]

Record = tuple[str, bytes | None, bytes | None, Headers]


class NotReplayable(Refused):
    """This letter cannot go back as it is; the message says what to do instead."""


class Returns:
    """Makes the record that takes a letter back. `order`: what tells this operator's act from the next one."""

    def __init__(self, action: Action, judge: Judge, copy: Directory, who: str, why: str, order: str) -> None:
        self._action, self._judge, self._copy = action, judge, copy
        self._who, self._why, self._order = who, why, order

    def record(self, letter: DeadLetter) -> Record:
        """NotReplayable, with the reason, for one that stays."""
        if letter.stage != "deliver" and self._action == "skip":
            raise NotReplayable(f"stage {letter.stage}: nothing waits behind it, so there is nothing to skip")
        if letter.obstacle:
            raise NotReplayable(letter.obstacle)
        if letter.stage == "deliver":
            return self._request(letter)
        if letter.topic.startswith(f"{INGRESS}."):
            return self._checked_again(letter)
        return INGRESS, letter.key, letter.value, _marked(letter.headers, letter.id)

    def _checked_again(self, letter: DeadLetter) -> Record:
        name = letter.topic.removeprefix(f"{INGRESS}.")
        organisation = self._copy.organisations.get(name)
        try:
            topic, key, value, headers = self._judge.ingress(organisation, letter.key, letter.value, letter.headers)
        except BadRecord as error:
            raise NotReplayable(f"would be refused again: {error}") from None
        return topic, key, value, _marked(headers, letter.id)

    def _request(self, letter: DeadLetter) -> Record:
        key = (letter.key or b"").decode(errors="replace")
        request = Request(
            id=order_id(self._action, letter.id, self._order),
            action=self._action,
            subscriber=letter.subscriber,
            key=key,
            pointers=_pointers(letter),
            who=self._who,
            why=self._why,
        )
        return REQUESTS, letter.key, request.model_dump_json().encode(), ()


def order_id(action: Action, letter: str, act: str) -> str:
    """The same for the same letter in the same act."""
    return derived_id(action, letter, act)


def _pointers(letter: DeadLetter) -> tuple[Pointer, ...]:
    """None for a state sent as backfill: it stands in no log; the order then frees what is held."""
    if letter.topic != EVENTS:
        return ()
    number = dict(letter.headers).get(HUB_SEQ, b"0")
    return (Pointer(offset=letter.offset, hub_seq=int(number), event_id=letter.event_id),)


def _marked(headers: Headers, id: str) -> list[tuple[str, bytes]]:
    return [(name, raw) for name, raw in headers if name != REPLAY_OF] + [(REPLAY_OF, id.encode())]
