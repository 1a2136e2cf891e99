"""A dossier at work: the step judged in event time, its facts merged, the state encoded once for both its uses."""

from __future__ import annotations

from collections.abc import Iterable

from hub.access.rights import covers
from hub.errors import BadRecord
from hub.model import codes, facts, history
from hub.model.deadline_watch import DEADLINE, followed, watch_of
from hub.model.deadlines import Rules
from hub.model.transitions import STATUSES
from hub.pipeline.avro import OwnRecord
from hub.pipeline.avro_write import long_bytes
from hub.pipeline.work import Datum, Incoming, Work, check_size, header
from hub.stream.api import Stored

_STATUS_AVRO = [long_bytes(number) for number in range(len(STATUSES))]
_LATE_AVRO = (b"\x00", b"\x01")


class DossierWork(Work):
    """keep: how many steps are kept for judging late ones (setting `core.keep_steps`). rules: of deadlines."""

    __slots__ = ("datum", "history", "keep", "keys", "rules", "watch")

    def __init__(self, code: str, record: OwnRecord, stored: Stored | None, keep: int, rules: Rules) -> None:
        super().__init__(record, stored)
        self.keep = keep
        self.rules = rules
        self.watch = watch_of(stored.headers) if stored else None
        if stored is None:
            codes.dossier(code)
            self.datum: Datum = {"dossier_code": code, "attachments": [], "fees": []}
            self.history = history.History()
            self.keys: tuple[int, ...] | list[int] = facts.NO_KEYS
        else:
            self.datum = record.decode(stored.value)
            self.history = history.unpack(header(stored, "steps"))
            items = len(self.datum["attachments"]) + len(self.datum["fees"])
            self.keys = facts.unpack_keys(header(stored, "facts"), items)

    def check_holder(self, agencies: Iterable[str]) -> None:
        """BadRecord (`right`) unless one of these holds the dossier now, as far as the hub knows."""
        holder = self.datum.get(facts.HOLDER)
        if holder is None or not covers(agencies, holder):
            raise BadRecord(
                "right", "the dossier is another agency's and was not passed on to the sender", "dossier_code"
            )

    def apply(self, datum: Datum, datum_body: bytes, incoming: Incoming) -> bytes:
        key = history.order_key(
            datum["occurred_at"], datum["step"], datum["correction"], int.from_bytes(incoming.who[:2], "big")
        )
        judged = self.history.add(key, self.keep)
        dossier, keys = facts.merge(self.datum, self.keys, datum, key)
        standing = judged.history.tail
        dossier["hub_seq"] = self.seq + 1
        dossier["status"] = STATUSES[standing.status]
        dossier["status_at"] = standing.since
        body = self.record.write(dossier)
        event = b"".join(
            (long_bytes(self.seq + 1), _LATE_AVRO[judged.late], _STATUS_AVRO[judged.status], datum_body, body)
        )  # fmt: skip
        check_size(len(event), len(body) + len(self.ring) + 8 * (len(keys) + self.keep), incoming.overhead)
        self.datum, self.keys, self.history = dossier, keys, judged.history
        due_at = dossier.get("due_at")
        if due_at is not None:
            self.watch = followed(self.watch, self.rules, due_at, history.key_time(keys[facts.DUE_AT]), judged.history)
        self.accept(body, incoming)
        return event

    def tell(self, asked: Datum, asked_body: bytes, incoming: Incoming) -> bytes | None:
        """The canonical deadline event's Avro body; None if the dossier does not run towards that deadline (any more),
        or it was told. BadRecord (`limit`) leaves everything as it was."""
        told = self.watch and self.watch.told(asked["kind"], asked["deadline_at"])
        if not told:
            return None
        dossier = self.datum | {"hub_seq": self.seq + 1}
        body = self.record.write(dossier)
        event = b"".join((long_bytes(self.seq + 1), asked_body, body))
        check_size(len(event), len(body) + len(self.ring) + 8 * (len(self.keys) + self.keep), incoming.overhead)
        self.datum, self.watch = dossier, told
        self.accept(body, incoming)
        return event

    def headers(self) -> list[tuple[str, bytes]]:
        watch = [(DEADLINE, self.watch.pack())] if self.watch else []
        return [("steps", self.history.pack()), ("facts", facts.pack_keys(self.keys)), *watch]
