"""A2: what attempts in a row leave on Kafka: receipts, dead letters, parking records. One act alone: part `letters`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from hub.config import DeliverySettings
from hub.connect.portal import Answer, Item, Strategy
from hub.control.records import Subscriber
from hub.delivery import outcomes
from hub.delivery.attempt import attempt
from hub.delivery.circuit_breaker import Breaker
from hub.delivery.connection_state import ConnectionState
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Entry, Mode, Raw, Source
from hub.delivery.event_decoder import Decoder
from hub.delivery.outbox import Outbox
from hub.delivery.partition.dossier import DossierDelivery
from hub.delivery.partition.owner import PartitionDelivery, Plan, Terms
from hub.delivery.receipts import Receipts
from hub.delivery.settlement import Settlement
from hub.errors import Rejected, Retryable
from hub.events import families
from hub.kafka.topics import DEAD_LETTERS, DELIVERIES, EVENTS
from tests.frozen.inputs import canonical, fixed

SAID = '{"message": "ChuHoSo: Trần Văn Minh, 0901234567, minh@example.vn, 060090001234 ok"}'
DONE = Answer(200, SAID)
FOLDED = ("plain", "every field", "procedures 1.009994", "services 1.004194.01", "deadlines DUE")
"""Histories whose receipts are recorded, folded as far as it goes."""

_LINE = re.compile(r"\.py:\d+")

CASES: dict[str, dict[str, Any]] = {
    "log: timeout, then delivered": {"says": [Retryable("timeout", "no answer within 30 s"), DONE]},
    "log: refused, the next are held": {"says": [Rejected("schema", "HTTP 400: Trần Văn Minh", 400)]},
    "log: forbidden is retried": {"says": [Rejected("forbidden", "HTTP 403", 403)]},
    "log: all tries used up": {"says": [Retryable("http_5xx", "HTTP 500", None, 500)] * 2, "max_attempts": 2},
    "log: the connector fails": {"says": [ValueError("Trần Văn Minh")]},
    "log: asked again, known": {"says": [DONE, DONE], "mode": Mode.RESEND, "delivered": [1, 2]},
    "state: folded, refused, one by one": {
        "strategy": Strategy.STATE,
        "says": [Rejected("refused", "error_code 9", 200), DONE, Rejected("refused", "error_code 9", 200)],
    },
    "state: covered by a later one": {"strategy": Strategy.STATE, "says": [DONE], "delivered": [1, 2, 3]},
}


def outputs() -> dict[str, Any]:
    return {
        "attempts": {name: _recorded(case) for name, case in CASES.items()},
        "receipts_of_each_family": {name: _family(name) for name in FOLDED},
        "appended_to_a_parked_lane": _stowed(),
    }


class _Kept(Outbox):
    """Keeps what is put, confirmed at once."""

    def __init__(self) -> None:
        self.settlements: list[Settlement] = []

    def put(self, settlement: Settlement) -> None:
        self.settlements.append(settlement)
        settlement.done()


class _Scripted:
    """A portal that says these things in turn, and at the end the last one again."""

    families: tuple[str, ...] = ("dossier", "procedure", "service", "deadline")

    def __init__(self, says: Sequence[Any], strategy: Strategy) -> None:
        self.says, self.strategy, self.max_fold = list(says), strategy, 50
        self.answered = 0

    async def deliver(self, items: Sequence[Item]) -> Answer:
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        answer: Answer = said
        return answer

    async def open(self) -> None: ...

    async def probe(self) -> None: ...

    async def close(self) -> None: ...


def _context(strategy: Strategy, max_attempts: int = 50) -> DeliveryContext:
    limits, codec = DeliverySettings(max_attempts=max_attempts), fixed.codec()
    nobody: Any = None
    receipts = Receipts("tinh", codec)
    context = DeliveryContext(
        subscriber=Subscriber(name="tinh", kind="webhook"),
        limits=limits,
        strategy=strategy,
        max_fold=1 if strategy is Strategy.EVENT_LOG else 50,
        families=_Scripted.families,
        outbox=_Kept(),
        receipts=receipts,
        reader=nobody,
        decoder=Decoder(codec),
        breaker=Breaker(limits.breaker_failures, limits.breaker_open_s),
        link=ConnectionState("tinh"),
    )
    owner = PartitionDelivery(3, Terms("tinh", "life", receipts), Plan(start=100))
    owner.reading.begun()
    context.partitions.add(owner)
    return context


def _owner(context: DeliveryContext) -> PartitionDelivery:
    (owner,) = context.partitions
    return owner


def _entries(items: Sequence[Item], mode: Mode = Mode.NEW) -> list[Entry]:
    out = []
    for number, item in enumerate(items):
        head = fixed.codec().with_head(families.BY_TYPE[item.envelope.type].record, item.value[len(canonical.HEAD) :])
        raw = Raw(EVENTS, 3, 100 + number, 1_772_414_101_000, item.key.encode(), head, item.envelope.headers())
        entry = Entry(item.key, item.envelope.id, item.hub_seq, item.family, EVENTS, 3, raw.offset, raw.timestamp_ms)
        entry.record, entry.mode = raw, mode
        out.append(entry)
    return out


def _in_flight(context: DeliveryContext, entries: Sequence[Entry]) -> DossierDelivery:
    for entry in entries:
        _owner(context).event(entry)
    delivery = _owner(context).take()
    assert delivery is not None
    return delivery


def _recorded(case: dict[str, Any]) -> list[Any]:
    """The first three events of a dossier at a portal that says these things; as many attempts as it has answers."""
    strategy = case.get("strategy", Strategy.EVENT_LOG)
    context = _context(strategy, case.get("max_attempts", 50))
    entries = _entries(canonical.groups()["joint handling"][:3], case.get("mode", Mode.NEW))
    if seqs := case.get("delivered"):
        _owner(context).known.add(entries[0].key, seqs, [entry.event_id for entry in entries[: len(seqs)]])
    portal = _Scripted(case["says"], strategy)

    async def run() -> None:
        delivery = _in_flight(context, entries)
        for _ in case["says"]:
            await attempt(context, portal, delivery)
            if context.partitions.take(fixed.NOW + 1_000_000) is not delivery:
                break

    with fixed.moment():
        asyncio.run(run())
    return _told(context)


def _family(name: str) -> list[Any]:
    context = _context(Strategy.STATE)
    portal = _Scripted([DONE], Strategy.STATE)
    with fixed.moment():
        asyncio.run(attempt(context, portal, _in_flight(context, _entries(canonical.groups()[name]))))
    return _told(context)


def _stowed() -> list[Any]:
    """The role stops before the portal has answered; then one more event of the dossier comes."""
    context = _context(Strategy.STATE)
    with fixed.moment():
        outcomes.cut_off(context, _in_flight(context, _entries(canonical.groups()["plain"][:2])))
        for entry in _entries(canonical.groups()["plain"][2:3]):
            entry.hang([Source(lambda: None)])
            _owner(context)._append(entry)
        for settlement in _owner(context).after_read(fixed.NOW):
            context.outbox.put(settlement)
    return _told(context)


def _told(context: DeliveryContext) -> list[Any]:
    """One list a settlement: what goes first, then what goes after it was confirmed. Fields without a value are left
    out."""
    assert isinstance(context.outbox, _Kept)
    return [
        {"first": [_readable(*out) for out in one.first], "then": [_readable(*out) for out in one.then]}
        for one in context.outbox.settlements
    ]


def _readable(topic: str, key: bytes | None, value: bytes | None, headers: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"topic": topic, "key": key.decode() if key is not None else None}
    if topic == DELIVERIES:
        datum = fixed.codec().decode(value, "vn.hub.Delivery")[1]
        told = {name: value for name, value in datum.items() if value is not None} | {"latency_ms": "(measured)"}
        if "answer" in told:
            told["answer"] = _LINE.sub(".py:(line)", told["answer"])  # of this file, where the scripted portal fails
        out["value"] = told
    elif topic == DEAD_LETTERS:
        out |= {"headers": fixed.texts(headers), "value_sha": fixed.sha(value or b"")}
    else:
        out["value"] = value.decode() if value is not None else None
    return out
