"""What happens to a dossier's delivery when the broker has confirmed an outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.delivery.entries import Entry
from hub.delivery.partition.states import State


@dataclass(slots=True)
class Outcome:
    """over: so many first entries leave, of which the first `known` stand at the portal. to: the next state; None:
    WAITING or OVER. named: entries that the parking record names now, whose bytes go if `unload`. stored: whether the
    dossier has a parking record then.
    """

    over: int
    known: int
    to: State | None
    named: Sequence[Entry]
    unload: bool
    stored: bool
    then: Callable[[], None]
