"""A2: what an attempt leaves on Kafka: receipts, dead letters and parking records, for each way in which it can end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

from hub.access.control import Subscriber
from hub.config import DeliverySettings
from hub.delivery import outcomes
from hub.delivery.attempt import attempt
from hub.delivery.breaker import Breaker
from hub.delivery.decoder import Decoder
from hub.delivery.desk import Desk
from hub.delivery.entries import Entry, Mode, Raw, Source
from hub.delivery.lanes import Lane
from hub.delivery.link import Link
from hub.delivery.outbox import Outbox, Settlement
from hub.delivery.portal import Answer, Item, Strategy
from hub.delivery.receipts import Receipts
from hub.errors import Rejected, Retryable
from hub.wire.envelope import CANONICAL_RECORDS
from hub.wire.topics import DEAD_LETTERS, DELIVERIES, EVENTS
from tests.frozen.inputs import canonical, fixed

SAID = '{"message": "ChuHoSo: Trần Văn Minh, 0901234567, minh@example.vn, 060090001234 ok"}'
DONE = Answer(200, SAID)
FOLDED = ("plain", "every field", "procedures 1.009994", "services 1.004194.01", "deadlines DUE")
"""Histories whose receipts are recorded, folded as far as it goes."""

_LINE = re.compile(r"\.py:\d+")

CASES: dict[str, dict[str, Any]] = {
    "log: delivered": {"says": [DONE]},
    "log: timeout, then delivered": {"says": [Retryable("timeout", "no answer within 30 s"), DONE]},
    "log: busy with Retry-After": {"says": [Retryable("busy", "HTTP 429: Trần Văn Minh", 7.0, 429)]},
    "log: refused, the next is held": {"says": [Rejected("schema", "HTTP 400: Trần Văn Minh", 400)]},
    "log: refused with an unknown word": {"says": [Rejected("nonsense", "said", 418)]},
    "log: forbidden is retried": {"says": [Rejected("forbidden", "HTTP 403", 403)]},
    "log: all tries used up": {"says": [Retryable("http_5xx", "HTTP 500", None, 500)] * 3, "max_attempts": 3},
    "log: the connector fails": {"says": [ValueError("Trần Văn Minh")]},
    "log: asked again, known": {"says": [DONE, DONE], "mode": Mode.RESEND, "delivered": [1, 2]},
    "log: unreadable": {"says": [DONE], "damage": True},
    "state: folded, delivered": {"strategy": Strategy.STATE, "says": [DONE]},
    "state: folded, refused, one by one": {
        "strategy": Strategy.STATE,
        "says": [Rejected("refused", "error_code 9", 200), DONE, Rejected("refused", "error_code 9", 200)],
    },
    "state: covered by a later one": {"strategy": Strategy.STATE, "says": [DONE], "delivered": [1, 2, 3]},
    "state: unreachable": {"strategy": Strategy.STATE, "says": [Retryable("connect", "cannot connect")]},
}


def outputs() -> dict[str, Any]:
    return {
        "attempts": {name: _recorded(case) for name, case in CASES.items()},
        "receipts_of_each_family": {name: _family(name) for name in FOLDED},
        "without_a_call": {"cut off": _called(outcomes.cut_off), "skipped": _called(_skip), "stowed": _called(_stow)},
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

    families = ("dossier", "procedure", "service", "deadline")

    def __init__(self, says: Sequence[Any], strategy: Strategy) -> None:
        self.says, self.strategy, self.max_fold = list(says), strategy, 50

    async def deliver(self, items: Sequence[Item]) -> Answer:
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        answer: Answer = said
        return answer


def _desk(strategy: Strategy, max_attempts: int = 50) -> Desk:
    limits, codec = DeliverySettings(max_attempts=max_attempts), fixed.codec()
    nobody: Any = None
    return Desk(
        subscriber=Subscriber(name="tinh", kind="provincial-portal"),
        limits=limits,
        strategy=strategy,
        max_fold=1 if strategy is Strategy.EVENT_LOG else 50,
        families=_Scripted.families,
        outbox=_Kept(),
        receipts=Receipts("tinh", codec),
        reader=nobody,
        decoder=Decoder(codec),
        breaker=Breaker(limits.breaker_failures, limits.breaker_open_s),
        link=Link("tinh"),
    )


def _entries(items: Sequence[Item], mode: Mode = Mode.NEW, damage: bool = False) -> list[Entry]:
    out = []
    for number, item in enumerate(items):
        head = fixed.codec().with_head(CANONICAL_RECORDS[item.envelope.type], item.value[len(canonical.HEAD) :])
        value = head[: len(head) // 2] if damage else head
        raw = Raw(EVENTS, 3, 100 + number, 1_772_414_101_000, item.key.encode(), value, item.envelope.headers())
        source = Source(lambda: None)
        entry = Entry(item.key, item.envelope.id, item.hub_seq, item.family, EVENTS, 3, raw.offset, raw.timestamp_ms)
        entry.record, entry.mode, entry.sources = raw, mode, [source]
        out.append(entry)
    return out


def _lane(desk: Desk, entries: Sequence[Entry]) -> Lane:
    for entry in entries:
        desk.lanes.append(entry)
    lane = desk.lanes.take()
    assert lane is not None
    return lane


def _recorded(case: dict[str, Any]) -> list[Any]:
    """The first three events of a dossier at a portal that says these things; as many attempts as it has answers."""
    strategy = case.get("strategy", Strategy.EVENT_LOG)
    desk = _desk(strategy, case.get("max_attempts", 50))
    entries = _entries(canonical.groups()["joint handling"][:3], case.get("mode", Mode.NEW), case.get("damage", False))
    if seqs := case.get("delivered"):
        desk.delivered.add(entries[0].key, seqs, [entry.event_id for entry in entries[: len(seqs)]])
    portal = _Scripted(case["says"], strategy)

    async def run() -> None:
        lane = _lane(desk, entries)
        for _ in case["says"]:
            await attempt(desk, portal, lane)
            desk.lanes.wake(fixed.NOW + 1_000_000)
            if desk.lanes.take() is not lane:
                break

    with fixed.moment():
        asyncio.run(run())
    return _told(desk)


def _family(name: str) -> list[Any]:
    desk = _desk(Strategy.STATE)
    portal = _Scripted([DONE], Strategy.STATE)
    with fixed.moment():
        asyncio.run(attempt(desk, portal, _lane(desk, _entries(canonical.groups()[name]))))
    return _told(desk)


def _called(act: Callable[[Desk, Lane], None]) -> list[Any]:
    desk = _desk(Strategy.STATE)
    with fixed.moment():
        act(desk, _lane(desk, _entries(canonical.groups()["plain"][:2])))
    return _told(desk)


def _skip(desk: Desk, lane: Lane) -> None:
    outcomes.skipped(desk, lane, list(lane.queue)[:1], "given up by an operator")


def _stow(desk: Desk, lane: Lane) -> None:
    outcomes.cut_off(desk, lane)
    (late,) = _entries(canonical.groups()["plain"][2:3])
    lane.queue.append(late)
    outcomes.stow(desk, lane)


def _told(desk: Desk) -> list[Any]:
    """One list a settlement: what goes first, then what goes after it was confirmed."""
    assert isinstance(desk.outbox, _Kept)
    return [
        {"first": [_readable(*out) for out in one.first], "then": [_readable(*out) for out in one.then]}
        for one in desk.outbox.settlements
    ]


def _readable(topic: str, key: bytes | None, value: bytes | None, headers: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"topic": topic, "key": key.decode() if key is not None else None}
    if topic == DELIVERIES:
        datum = fixed.codec().decode(value, "vn.hub.Delivery")[1]
        answer = _LINE.sub(".py:(line)", datum["answer"] or "")  # of this file, where the scripted portal fails
        out["value"] = datum | {"latency_ms": "(measured)", "answer": answer if datum["answer"] is not None else None}
    elif topic == DEAD_LETTERS:
        out |= {"headers": fixed.texts(headers), "value_sha": fixed.sha(value or b"")}
    else:
        out["value"] = value.decode() if value is not None else None
    return out
