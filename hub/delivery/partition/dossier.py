"""One dossier's delivery: the queue of its events, its state, and the moves between states. Pure: no I/O, no clock.

Every outcome is a method that makes its move, or raises MoveRefused, and says what to write. What follows from it
happens when the broker has confirmed that: so a dossier's next call never starts before the receipt of the last one is
safe, and at most one call per dossier is under way. Nobody else changes anything here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from hub.delivery import parking
from hub.delivery.entries import Entry, Mode, Source
from hub.delivery.parking import Wait
from hub.delivery.partition.delivered import Delivered
from hub.delivery.partition.outcome import Outcome
from hub.delivery.partition.states import Move, State, checked
from hub.delivery.receipts import Receipts
from hub.delivery.settlement import Out, Settlement, nothing
from hub.events.canonical import State as DossierState

KEEP_S = 30.0
"""Bytes of an event that waits longer than this are dropped and read again when its time comes."""

_NO_WAIT = Wait()
_RESTING = (State.PARKED, State.HELD)


@dataclass(frozen=True, slots=True)
class Shared:
    """What a partition's deliveries have in common. `placed`: called whenever one has come into a state to stay in."""

    subscriber: str
    partition: int
    receipts: Receipts
    known: Delivered
    placed: Callable[[DossierDelivery], None]


class DossierDelivery:
    """`key`: the dossier code.

    _stored: a parking record of this dossier stands. _alone: so many of the next entries were refused together and are
    sent one by one to find the culprit, each with _newest, the newest of their states, so that the portal's state does
    not go back meanwhile. _answered: so many first entries were answered before the call was cut off.
    """

    __slots__ = ("_alone", "_answered", "_newest", "_outcome", "_queue", "_shared", "_state", "_stored", "_wait", "key")

    def __init__(self, key: str, shared: Shared) -> None:
        self.key = key
        self._shared = shared
        self._queue: deque[Entry] = deque()
        self._state = State.WAITING
        self._wait = _NO_WAIT
        self._stored = False
        self._alone = self._answered = 0
        self._newest: DossierState | None = None
        self._outcome: Outcome | None = None

    @classmethod
    def restored(cls, key: str, shared: Shared, told: parking.ParkedDossier) -> DossierDelivery:
        """As its parking record tells: parked or held."""
        one = cls(key, shared)
        one._queue.extend(told.entries(key, shared.partition))
        one._state = State.HELD if told.place == "held" else State.PARKED
        one._wait, one._stored = told.wait, True
        return one

    # --- what it is ---

    @property
    def state(self) -> State:
        return self._state

    @property
    def entries(self) -> Sequence[Entry]:
        return self._queue

    @property
    def wait(self) -> Wait:
        return self._wait

    @property
    def partition(self) -> int:
        return self._shared.partition

    @property
    def known(self) -> Delivered:
        """What of its partition stands at the portal."""
        return self._shared.known

    @property
    def newest(self) -> DossierState | None:
        """The state that goes with each event of a fold that was taken apart."""
        return self._newest

    @property
    def answered(self) -> int:
        """How many first entries were answered before the call was cut off."""
        return self._answered

    def head(self, limit: int) -> list[Entry]:
        """The first entries that may go in one call: same family, rising hub_seq, an operator's replay alone."""
        taken: list[Entry] = []
        limit = 1 if self._alone else limit
        for entry in self._queue:
            if taken:
                last = taken[-1]
                replayed = Mode.REPLAY in (entry.mode, last.mode)
                if len(taken) >= limit or replayed or entry.family != last.family or entry.hub_seq <= last.hub_seq:
                    break
            taken.append(entry)
        return taken

    def holds(self, event_id: str) -> Entry | None:
        return next((entry for entry in self._queue if entry.event_id == event_id), None)

    def unnamed(self) -> bool:
        """It rests, with events that its parking record does not name yet."""
        return self._state in _RESTING and any(entry.sources for entry in self._queue)

    # --- what comes ---

    def append(self, entry: Entry) -> None:
        """At the end. In a parked or held delivery it waits like the rest."""
        self._queue.append(entry)

    def supersede(self, entry: Entry) -> None:
        """It takes the place of the last one, which was not tried yet."""
        entry.hang(self._queue[-1].sources)
        self._queue[-1] = entry

    def hand_out(self) -> None:
        self._move(Move.HAND_OUT, State.IN_FLIGHT)

    def wake(self) -> None:
        self._move(Move.WAKE, State.WAITING)

    def hasten(self, not_before: float) -> bool:
        """A parked one need not wait longer than this, if the portal did not name its time. False: it stays."""
        if self._state is not State.PARKED or self._wait.patient or self._wait.not_before <= not_before:
            return False
        self._wait = replace(self._wait, not_before=not_before)
        return True

    def replay(self, order: Source) -> None:
        """What it waits behind is tried again, by an operator's order; then the rest."""
        if self._move(Move.REPLAY, State.WAITING):
            self._queue[0].replay(order)
            self._wait = replace(self._wait, attempt=0)
            self._shared.placed(self)

    def lose_sight(self, answered: int = 0) -> None:
        """Its call was cut off: whether the portal took more than the first `answered` is unknown."""
        if self._move(Move.LOSE_SIGHT, State.UNCLEAR):
            self._answered = answered

    def revoke(self) -> None:
        """The partition is no longer ours."""
        self._move(Move.REVOKE, State.REVOKED)

    # --- outcomes: `count` first entries were tried; the first `answered` of them stand at the portal all the same ---

    def delivered(self, count: int, first: list[Out]) -> Settlement:
        """They stand at the portal; what is behind them is next."""
        return self._goes_on(Move.DELIVER, State.DELIVERED, count, count, first)

    def skipped(self, count: int, first: list[Out], then: Callable[[], None] = nothing) -> Settlement:
        """Given up, by an operator's order or because the log no longer holds them."""
        return self._goes_on(Move.SKIP, State.SKIPPED, count, 0, first, then)

    def dead_lettered(self, count: int, first: list[Out], answered: int) -> Settlement:
        """Refused for good, and the dossier goes on: the next full state covers it."""
        return self._goes_on(Move.DEAD_LETTER, State.DEAD_LETTERED, count, answered, first)

    def held(self, count: int, first: list[Out], reason: str, answered: int) -> Settlement:
        """Refused for good, and the dossier waits for an operator."""
        wait = replace(self._wait, attempt=0, error=reason)
        return self._rests(Move.DEAD_LETTER, State.DEAD_LETTERED, State.HELD, wait, count, first, answered, unload=True)

    def retry(self, wait: Wait, now: float, count: int, first: list[Out], answered: int) -> Settlement:
        """Parked until its next try."""
        far = wait.not_before - now > KEEP_S
        return self._rests(Move.SCHEDULE, State.RETRY_SCHEDULED, State.PARKED, wait, count, first, answered, far)

    def taken_apart(self, count: int, newest: DossierState, first: list[Out], answered: int) -> Settlement:
        """Refused together: one by one from now on."""
        if not self._move(Move.TAKE_APART, State.TAKEN_APART):
            return Settlement(first)
        self._alone, self._newest = count, newest
        return self._settle(first, answered, answered, State.WAITING)

    def stow(self, now: float) -> Settlement | None:
        """Events were appended while it rests: its parking record names them too. None: nothing is to be written."""
        new = [entry for entry in self._queue if entry.sources] if self._state in _RESTING else []
        if not new:
            return None
        place: parking.Place = "held" if self._state is State.HELD else "parked"
        far = place == "held" or self._wait.not_before - now > KEEP_S
        told = self._record(self._wait, self._queue, place)
        return Settlement([self._behind(new, place)], [told], lambda: self._stowed(new, far))

    # --- how ---

    def _move(self, move: Move, to: State) -> bool:
        """False: the partition was taken away, nothing follows."""
        if self._state is State.REVOKED:
            return False
        self._state = checked(self._state, move, to)
        return True

    def _goes_on(
        self, move: Move, state: State, count: int, known: int, first: list[Out], then: Callable[[], None] = nothing
    ) -> Settlement:
        if not self._move(move, state):
            return Settlement(first)
        return self._settle(first, count, known, None, then)

    def _settle(
        self, first: list[Out], over: int, known: int, to: State | None, then: Callable[[], None] = nothing
    ) -> Settlement:
        """The first `over` leave. Where a parking record stands, it names what is left, or is taken away."""
        rest: Sequence[Entry] = ()
        after: list[Out] = []
        if over:
            self._wait = _NO_WAIT
            if self._stored:
                rest = tuple(islice(self._queue, over, None))
                after = [self._record(_NO_WAIT, rest, "parked")]
        stored = self._stored and (bool(rest) or not over)
        self._outcome = Outcome(over, known, to, rest, False, stored, then)
        return Settlement(first, after, self._confirmed)

    def _rests(
        self, move: Move, state: State, to: State, wait: Wait, count: int, first: list[Out], answered: int, unload: bool
    ) -> Settlement:
        """Its record names all that is in it now; receipts told of the first `count`."""
        if not self._move(move, state):
            return Settlement(first)
        place: parking.Place = "held" if to is State.HELD else "parked"
        self._wait, self._answered = wait, 0
        rest = tuple(islice(self._queue, answered, None))
        behind = [entry for entry in rest[count - answered :] if entry.sources]
        if behind:
            first = [*first, self._behind(behind, place)]
        self._outcome = Outcome(answered, answered, to, rest, unload, True, nothing)
        return Settlement(first, [self._record(wait, rest, place)], self._confirmed)

    def _confirmed(self) -> None:
        """The broker has all that an outcome leaves."""
        outcome, self._outcome = self._outcome, None
        if self._state is State.REVOKED:
            return
        assert outcome is not None
        self._leave(outcome.over, outcome.known)
        self._name(outcome.named, outcome.unload)
        self._stored = outcome.stored
        self._move(Move.CONFIRM, outcome.to or (State.WAITING if self._queue else State.OVER))
        self._shared.placed(self)
        outcome.then()

    def _leave(self, over: int, known: int) -> None:
        gone = [self._queue.popleft() for _ in range(over)]
        if known:
            self.known.add(self.key, [e.hub_seq for e in gone[:known]], [e.event_id for e in gone[:known]])
        for entry in gone:
            entry.settle()
        self._alone = max(0, self._alone - over)
        if not self._alone:
            self._newest = None

    def _stowed(self, new: Sequence[Entry], unload: bool) -> None:
        if self._state is not State.REVOKED:
            self._stored = True
            self._name(new, unload and self._state in _RESTING)

    @staticmethod
    def _name(entries: Iterable[Entry], unload: bool) -> None:
        for entry in entries:
            entry.settle()
            if unload:
                entry.unload()

    def _record(self, wait: Wait, entries: Sequence[Entry], place: parking.Place) -> Out:
        return parking.record(self._shared.subscriber, self.key, wait, entries, place)

    def _behind(self, entries: Sequence[Entry], place: parking.Place) -> Out:
        """The receipt of events that wait behind a failed one."""
        if place == "held":
            return self._shared.receipts.held(entries)
        return self._shared.receipts.retry(entries, 0, self._wait.not_before, kind="behind")
