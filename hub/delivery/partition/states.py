"""The states of a dossier's delivery, and the table of the moves between them: what is not in it is refused.

docs/delivery.md has the same table in words; tests/unit/delivery/test_states.py compares the two.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where one dossier's pending work stands. Behind the dash: what ends it.

    WAITING:         ready for a worker, or not even that as long as its partition is closed - a worker
    IN_FLIGHT:       one worker has it - the end of its attempt
    UNCLEAR:         its call was cut off, whether the portal took it is unknown - it is scheduled again
    DELIVERED:       its first events stand at the portal, the receipt is under way - the broker confirms
    SKIPPED:         its first events were given up, the receipt is under way - the broker confirms
    TAKEN_APART:     its fold was refused, the receipt is under way - the broker confirms
    DEAD_LETTERED:   its first events were refused, the letters are under way - the broker confirms
    RETRY_SCHEDULED: its try failed, the parking record is under way - the broker confirms
    PARKED:          the parking record stands - its time, or the portal that is back
    HELD:            waits behind a dead letter, the parking record stands - an operator
    OVER:            nothing is left of it
    REVOKED:         its partition was taken away; whatever comes late changes nothing
    """

    WAITING = "waiting"
    IN_FLIGHT = "in flight"
    UNCLEAR = "unclear"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    TAKEN_APART = "taken apart"
    DEAD_LETTERED = "dead-lettered"
    RETRY_SCHEDULED = "retry scheduled"
    PARKED = "parked"
    HELD = "held"
    OVER = "over"
    REVOKED = "revoked"

    __hash__ = str.__hash__  # Enum's own is a call of Python at each look into the table


class Move(StrEnum):
    HAND_OUT = "hand out"
    DELIVER = "deliver"
    SKIP = "skip"
    TAKE_APART = "take apart"
    DEAD_LETTER = "dead-letter"
    SCHEDULE = "schedule"
    LOSE_SIGHT = "lose sight"
    CONFIRM = "confirm"
    WAKE = "wake"
    REPLAY = "replay"
    REVOKE = "revoke"

    __hash__ = str.__hash__


_S, _M = State, Move

TABLE: dict[tuple[State, Move], tuple[State, ...]] = {
    (_S.WAITING, _M.HAND_OUT): (_S.IN_FLIGHT,),
    (_S.IN_FLIGHT, _M.DELIVER): (_S.DELIVERED,),
    (_S.IN_FLIGHT, _M.SKIP): (_S.SKIPPED,),
    (_S.IN_FLIGHT, _M.TAKE_APART): (_S.TAKEN_APART,),
    (_S.IN_FLIGHT, _M.DEAD_LETTER): (_S.DEAD_LETTERED,),
    (_S.IN_FLIGHT, _M.SCHEDULE): (_S.RETRY_SCHEDULED,),
    (_S.IN_FLIGHT, _M.LOSE_SIGHT): (_S.UNCLEAR,),
    (_S.UNCLEAR, _M.SCHEDULE): (_S.RETRY_SCHEDULED,),
    (_S.DELIVERED, _M.CONFIRM): (_S.WAITING, _S.OVER),
    (_S.SKIPPED, _M.CONFIRM): (_S.WAITING, _S.OVER),
    (_S.TAKEN_APART, _M.CONFIRM): (_S.WAITING,),
    (_S.DEAD_LETTERED, _M.CONFIRM): (_S.HELD, _S.WAITING, _S.OVER),
    (_S.RETRY_SCHEDULED, _M.CONFIRM): (_S.PARKED,),
    (_S.PARKED, _M.WAKE): (_S.WAITING,),
    (_S.HELD, _M.REPLAY): (_S.WAITING,),
    (_S.HELD, _M.SKIP): (_S.SKIPPED,),
    **{(state, _M.REVOKE): (_S.REVOKED,) for state in State},
}
"""(state, move) -> the states it may lead to."""


class MoveRefused(Exception):
    """A move that is not in the table: a fault of the program, which ends the role before it does harm."""


def checked(state: State, move: Move, to: State) -> State:
    """`to`, if the move leads there from `state`; MoveRefused if not."""
    if to not in TABLE.get((state, move), ()):
        raise MoveRefused(f"a delivery that is {state} cannot {move} to {to}")
    return to
