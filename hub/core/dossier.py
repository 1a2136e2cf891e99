"""A dossier at work: the step judged in event time, its facts merged, the state encoded once for both its uses."""

from __future__ import annotations

from librt.strings import BytesWriter
from msgspec.structs import replace

from hub.avro import bodies
from hub.avro.codec import Codec, head
from hub.avro.records.dossier import Dossier, DossierDeadline, DossierStep
from hub.avro.writer import put_boolean, put_long
from hub.control.rights import covers
from hub.core.key_state import Incoming, KeyState, check_size
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
    unpack,
)
from hub.model.deadlines import Rules
from hub.model.lifecycle import WAITING
from hub.model.transitions import STATUSES
from hub.stream.stage import Stored


class DossierState(KeyState[DossierStep]):
    """keep: how many steps are kept for judging late ones (setting `core.keep_steps`). rules: of deadlines. limit: of
    procedures, where the core derives NgayHenTra.

    dossier: as it is; before its first step only with its code. keys: see `hub.model.facts`. dates: what its steps tell
    of `watch`.
    """

    __slots__ = ("_doubted", "_transfer", "dates", "dossier", "history", "keep", "keys", "limit", "rules",
                 "watch")  # fmt: skip

    def __init__(
        self, code: str, codec: Codec, stored: Stored | None, keep: int, rules: Rules,
        limit: derived_dates.Limit | None = None,
    ) -> None:  # fmt: skip
        found = {} if stored is None else dict(stored.headers)
        super().__init__(head(codec.ids[bodies.DOSSIER.name]), found)
        self.keep = keep
        self.rules = rules
        self.limit = limit
        self._doubted = False  # the watch is of a program that knew less of it: counted anew with the next step
        self.watch = unpack(found[DEADLINE]) if DEADLINE in found else None
        if stored is None:
            codes.dossier(code)
            self.dossier = Dossier(dossier_code=code, hub_seq=0, status="UNKNOWN", status_at=0)
            self.history = step_history.History()
            self.keys: list[int] = facts.NO_KEYS
            self.dates = dates.Dates()
        else:
            self.dossier = codec.read(bodies.DOSSIER, stored.value)
            steps = found["steps"]
            self.history = step_history.unpack(steps)
            items = len(self.dossier.attachments) + len(self.dossier.fees)
            self.keys = facts.unpack_keys(found["facts"], items)
            if step_history.is_old(steps):
                self.keys = [step_history.renumbered(key) for key in self.keys]
            self.dates = self._dates(found)
        # Of which holder and date, what was told of them; brought up to the present by `_holders_watch`.
        self._transfer = self._held(), unpack(found[TRANSFER]) if TRANSFER in found else None

    def _dates(self, found: dict[str, bytes]) -> dates.Dates:
        if dates.DATES in found:
            return dates.unpack(found[dates.DATES])
        watch = self.watch
        if watch is None:
            return dates.Dates((0,) * len(self.history.keys))
        self._doubted = True
        key, waited = self.keys[facts.DUE_AT], old_waits(found[DEADLINE])
        return dates.taken_up(self.history, watch.due_at, key, watch.since, waited, (watch.deadline_at, watch.mask))

    def check_sender(self, agencies: list[str], sender: str) -> None:
        """BadRecord (`right`) unless one of these holds the dossier now, as far as the hub knows."""
        holder = self.dossier.holder_agency_code
        if holder is None or not covers(agencies, holder):
            raise BadRecord(
                "right", "the dossier is another agency's and was not passed on to the sender", "dossier_code"
            )

    def apply(self, published: DossierStep, body: bytes, incoming: Incoming) -> bytes:
        key = step_history.order_key(published.occurred_at, published.step, published.correction, incoming.low())
        before = self.history
        judged = before.add(key, self.keep)
        history, number = judged.history, self.seq + 1
        standing = history.tail
        merged, keys = facts.merge(
            self.dossier, self.keys, published, key, number, STATUSES[standing.status], standing.since
        )
        dossier = derived_dates.filled(merged, keys, self.dossier, history, self.limit)
        state = bodies.DOSSIER.write(dossier)
        out = BytesWriter()
        put_long(out, number)
        put_boolean(out, judged.late)
        put_long(out, judged.status)
        out.write(body)
        out.write(state)
        event = out.getvalue()
        self._check_size(event, state, incoming)
        self.dossier, self.keys, self.history = dossier, keys, history
        self._follow(before, key, published.due_at or 0)
        self.accept(state, incoming)
        return event

    def _follow(self, before: step_history.History, key: int, told: int) -> None:
        """`dates` and `watch` after the step of this key, which `history` has already and `before` has not. told: the
        due date that it tells, or 0."""
        written = self.keys[facts.DUE_AT]
        newest = written == key  # no step that happened later tells the due date
        self.dates = self.dates.after(before, self.history, key, told, newest)
        due_at = self.dossier.due_at
        if due_at is None:
            self.watch = None
            return
        if written:
            promised, since = self.dates.promised(self.history)
            since = since if promised == due_at else step_history.key_time(written)
        else:
            assert self.dossier.received_at is not None  # the derived date counts from it
            since = self.dossier.received_at
        in_order = not before.keys or key >= before.keys[-1]
        waited = before.tail.status in WAITING
        settled = in_order and not (self._doubted or self.dates.full)
        self._doubted = False
        self.watch = followed(self.watch, self.rules, due_at, since, self.dates, self.history, settled, waited)

    def tell(self, asked: DossierDeadline, body: bytes, incoming: Incoming) -> bytes | None:
        """The canonical deadline event's Avro body; None if the dossier does not run towards that deadline (any more),
        or it was told. BadRecord (`limit`) leaves everything as it was."""
        transfer = HEADER_OF.get(asked.kind) == TRANSFER
        watch = self._holders_watch() if transfer else self.watch
        told = watch.told(asked.kind, asked.deadline_at) if watch is not None else None
        if told is None:
            return None
        dossier = replace(self.dossier, hub_seq=self.seq + 1)
        state = bodies.DOSSIER.write(dossier)
        out = BytesWriter()
        put_long(out, self.seq + 1)
        out.write(body)
        out.write(state)
        event = out.getvalue()
        self._check_size(event, state, incoming)
        self.dossier = dossier
        if transfer:
            self._transfer = self._held(), told
        else:
            self.watch, self.dates = told, self.dates.reporting(told.deadline_at, told.mask)
        self.accept(state, incoming)
        return event

    def headers(self) -> list[tuple[str, bytes]]:
        found = [("steps", self.history.pack()), ("facts", facts.pack_keys(self.keys))]
        if self.watch is not None:
            found.append((DEADLINE, self.watch.pack()))
        holders = self._holders_watch()
        if holders is not None:
            found.append((TRANSFER, holders.pack()))
        packed = self.dates.pack()
        if packed:
            found.append((dates.DATES, packed))
        return found

    def _check_size(self, event: bytes, state: bytes, incoming: Incoming) -> None:
        """BadRecord (`limit`)."""
        check_size(len(event), len(state) + len(self.ring) + 8 * (len(self.keys) + self.keep), incoming.overhead)

    def _held(self) -> tuple[str | None, int | None]:
        """Who holds the dossier by a transfer, and until when."""
        return self.dossier.holder_agency_code, self.dossier.holder_due_at

    def _holders_watch(self) -> Watch | None:
        """The watch of the holder's date after the last event; None without such a date."""
        held, (known, watch) = self._held(), self._transfer
        since = self.dossier.holder_since or 0
        watch = transferred(watch if held == known else None, held[1], since, self.history.tail.status)
        self._transfer = held, watch
        return watch
