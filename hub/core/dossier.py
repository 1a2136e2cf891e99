"""A dossier at work: the step judged in event time, its facts merged, the state encoded once for both its uses."""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence

from hub.avro.body_writer import long_bytes
from hub.avro.own_record import MarkedRecord
from hub.control.rights import covers
from hub.core import repeated_step
from hub.core.key_state import Datum, Incoming, KeyState, check_size, header
from hub.errors import BadRecord
from hub.model import codes, dates, derived_dates, facts, step_history
from hub.model.deadline_watch import (
    DEADLINE,
    HEADER_OF,
    TRANSFER,
    Watch,
    followed,
    old_waits,
    transferred,
    watches_of,
)
from hub.model.deadlines import Rules
from hub.model.lifecycle import WAITING
from hub.model.transitions import STATUSES
from hub.stream.stage import Stored

_STATUS_AVRO = [long_bytes(number) for number in range(len(STATUSES))]
_LATE_AVRO = (b"\x00", b"\x01")
_KEY = struct.Struct("<q")


class DossierState(KeyState):
    """keep: how many steps are kept for judging late ones (setting `core.keep_steps`). rules: of deadlines. limit: of
    procedures, where the core derives NgayHenTra.

    last: what the last step told, if the next may repeat it; then `newest` is the key of the last that did, which
    `datum` and `keys` know of only after `_settle`.
    dates: what its steps tell of `watch`.
    """

    __slots__ = ("_doubted", "_packed", "_pieces", "_told", "_transfer", "_written", "dates", "datum", "history",
                 "keep", "keys", "last", "limit", "newest", "rules", "watch", "writer")  # fmt: skip

    def __init__(
        self, code: str, record: MarkedRecord, stored: Stored | None, keep: int, rules: Rules,
        limit: derived_dates.Limit | None = None,
    ) -> None:  # fmt: skip
        super().__init__(record, stored)
        self.limit = limit
        self.writer = record
        self.last: repeated_step.Repeat | None = None
        self.newest = 0
        self._written: list[int] | None = None
        self._pieces = (b"", b"")  # of the dossier's Avro: before its number, after the time of its status
        self._packed: tuple[bytes, bytes] | None = None  # the packed keys, before and after the newest of them
        self._told = 0  # the due date that the last step told
        self._doubted = False  # the watch is of a program that knew less of it: counted anew with the next step
        self.keep = keep
        self.rules = rules
        watches = watches_of(stored.headers) if stored else {}
        self.watch = watches.get(DEADLINE)
        if stored is None:
            codes.dossier(code)
            self.datum: Datum = {"dossier_code": code, "attachments": [], "fees": []}
            self.history = step_history.History()
            self.keys: tuple[int, ...] | list[int] = facts.NO_KEYS
            self.dates = dates.Dates()
        else:
            self.datum = record.decode(stored.value)
            steps = header(stored, "steps")
            self.history = step_history.unpack(steps)
            items = len(self.datum["attachments"]) + len(self.datum["fees"])
            self.keys = facts.unpack_keys(header(stored, "facts"), items)
            if step_history.is_old(steps):
                self.keys = [step_history.renumbered(key) for key in self.keys]
            self.dates = self._dates(stored)
        # Of which holder and date, what was told of them; brought up to the present by `_holders_watch`.
        self._transfer = self._held(), watches.get(TRANSFER)

    def _dates(self, stored: Stored) -> dates.Dates:
        found = dict(stored.headers)
        if dates.DATES in found:
            return dates.unpack(found[dates.DATES])
        watch = self.watch
        if watch is None:
            return dates.Dates((0,) * len(self.history.keys))
        self._doubted = True
        key, waited = self.keys[facts.DUE_AT], old_waits(found[DEADLINE])
        return dates.taken_up(self.history, watch.due_at, key, watch.since, waited, (watch.deadline_at, watch.mask))

    def check_holder(self, agencies: Collection[str]) -> None:
        """BadRecord (`right`) unless one of these holds the dossier now, as far as the hub knows."""
        holder = self.datum.get(facts.HOLDER)
        if holder is None or not covers(agencies, holder):
            raise BadRecord(
                "right", "the dossier is another agency's and was not passed on to the sender", "dossier_code"
            )

    def apply(self, datum: Datum, datum_body: bytes, incoming: Incoming) -> bytes:
        self._settle()
        key = step_history.order_key(
            datum["occurred_at"], datum["step"], datum["correction"], int.from_bytes(incoming.who[:2], "big")
        )
        before = self.history
        judged = before.add(key, self.keep)
        dossier, keys = facts.merge(self.datum, self.keys, datum, key)
        derived_dates.fill(dossier, keys, self.datum, judged.history, self.limit)
        standing = judged.history.tail
        dossier["hub_seq"] = self.seq + 1
        dossier["status"] = STATUSES[standing.status]
        dossier["status_at"] = standing.since
        body, places = self.writer.write_marked(dossier)
        event = self._event(judged, datum_body, body, incoming)
        self.last, self._packed = None, None
        self._written = repeated_step.written(self.keys, keys, key) if places else None
        if places:
            self._pieces = (body[: places[0]], body[places[1] :])
        self.datum, self.keys, self.history, self.newest = dossier, keys, judged.history, key
        self._told = datum["due_at"] or 0
        self._follow(before, key, keys[facts.DUE_AT] == key)
        self.accept(body, incoming)
        return event

    def remember(self, value: bytes, places: Sequence[int]) -> None:
        """What the step told that was applied just now. As `repeat.Repeat`."""
        self.last = repeated_step.remembered(value, places, self._written)

    def again(self, step: repeated_step.Step, datum_body: bytes, incoming: Incoming) -> bytes | None:
        """As `apply`, with a step that `last` knows; None, and nothing done, if it did not happen last."""
        key = step_history.order_key(step.at, step.kind, step.correction, int.from_bytes(incoming.who[:2], "big"))
        before = self.history
        receipt = step.kind == "RECEIVED" and not self.keys[facts.RECEIVED_AT]  # its time is a fact then
        undated = self.limit is not None and self.watch is None  # its procedure may have become known
        if key < before.keys[-1] or receipt or undated:
            return None
        judged = before.add(key, self.keep)
        standing, (code, rest) = judged.history.tail, self._pieces
        body = b"".join(
            (code, long_bytes(self.seq + 1), _STATUS_AVRO[standing.status], long_bytes(standing.since), rest)
        )
        event = self._event(judged, datum_body, body, incoming)
        self.history, self.newest = judged.history, key
        self._follow(before, key, True)
        self.accept(body, incoming)
        return event

    def _follow(self, before: step_history.History, key: int, newest: bool) -> None:
        """`dates` and `watch` after the step of this key, which `history` has already and `before` has not. newest: no
        step that happened later tells the due date."""
        self.dates = self.dates.after(before, self.history, key, self._told, newest)
        due_at = self.datum.get("due_at")
        if due_at is None:
            self.watch = None
            return
        written = self.keys[facts.DUE_AT]
        if written:
            promised, since = self.dates.promised(self.history)
            since = since if promised == due_at else step_history.key_time(written)
        else:
            since = int(self.datum["received_at"])
        in_order = not before.keys or key >= before.keys[-1]
        waited = before.tail.status in WAITING
        settled = in_order and not (self._doubted or self.dates.full)
        self._doubted = False
        self.watch = followed(self.watch, self.rules, due_at, since, self.dates, self.history, settled, waited)

    def _event(self, judged: step_history.Judged, datum_body: bytes, body: bytes, incoming: Incoming) -> bytes:
        """The canonical event's Avro body. BadRecord (`limit`)."""
        event = b"".join(
            (long_bytes(self.seq + 1), _LATE_AVRO[judged.late], _STATUS_AVRO[judged.status], datum_body, body)
        )  # fmt: skip
        check_size(len(event), len(body) + len(self.ring) + 8 * (len(self.keys) + self.keep), incoming.overhead)
        return event

    def _settle(self) -> None:
        """`datum` and `keys` as they are after the last repetition."""
        if self.last is not None:
            keys = self.keys = list(self.keys)
            for place in self.last.written:
                keys[place] = self.newest
            standing = self.history.tail
            self.datum["status"], self.datum["status_at"] = STATUSES[standing.status], standing.since

    def tell(self, asked: Datum, asked_body: bytes, incoming: Incoming) -> bytes | None:
        """The canonical deadline event's Avro body; None if the dossier does not run towards that deadline (any more),
        or it was told. BadRecord (`limit`) leaves everything as it was."""
        kind, transfer = asked["kind"], HEADER_OF.get(asked["kind"]) == TRANSFER
        watch = self._holders_watch() if transfer else self.watch
        told = watch and watch.told(kind, asked["deadline_at"])
        if not told:
            return None
        self._settle()
        dossier = self.datum | {"hub_seq": self.seq + 1}
        body = self.record.write(dossier)
        event = b"".join((long_bytes(self.seq + 1), asked_body, body))
        check_size(len(event), len(body) + len(self.ring) + 8 * (len(self.keys) + self.keep), incoming.overhead)
        self.datum = dossier
        if transfer:
            self._transfer = self._held(), told
        else:
            self.watch, self.dates = told, self.dates.reporting(told.deadline_at, told.mask)
        self.accept(body, incoming)
        return event

    def headers(self) -> list[tuple[str, bytes]]:
        watches = ((DEADLINE, self.watch), (TRANSFER, self._holders_watch()))
        found = [(name, watch.pack()) for name, watch in watches if watch]
        if packed := self.dates.pack():
            found.append((dates.DATES, packed))
        return [("steps", self.history.pack()), ("facts", self._packed_keys()), *found]

    def _held(self) -> tuple[str | None, int | None]:
        """Who holds the dossier by a transfer, and until when."""
        return self.datum.get(facts.HOLDER), self.datum.get("holder_due_at")

    def _holders_watch(self) -> Watch | None:
        """Of the holder's date, as it stands after the last event; None without one."""
        held, (known, watch) = self._held(), self._transfer
        since = self.datum.get("holder_since") or 0
        watch = transferred(watch if held == known else None, held[1], since, self.history.tail.status)
        self._transfer = held, watch
        return watch

    def _packed_keys(self) -> bytes:
        """Only the newest changes from repetition to repetition."""
        if self._packed is None:
            self._settle()
            if self.last is None or not self.last.written or self.keys[facts.HOLDER_KEY] == self.newest:
                return facts.pack_keys(self.keys)
            self._packed = facts.pack_split(self.keys)
        before, after = self._packed
        return before + _KEY.pack(self.newest) + after
