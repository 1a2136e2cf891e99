"""KeyState kept between chunks changes nothing but the time it takes."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from hub.core.key_state import KeyState
from hub.core.recent_keys import RecentKeys
from hub.events import families
from hub.kafka import topics
from hub.model import facts
from hub.model.transitions import STEPS
from hub.stream.stage import Record, Stored
from tests.support.core import CODE, DAY, T0, Core, record, step

# As the program before RESCHEDULED numbered them in what it stored (decision 13).
OLD_KINDS = ("SUBMITTED", "RECEIVED", "IN_PROCESS", "TRANSFERRED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN",
             "PAYMENT_REQUESTED", "PAYMENT_MADE", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED",
             "RATED")  # fmt: skip
KINDS = ("SUBMITTED", "RECEIVED", "IN_PROCESS", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN", "TRANSFERRED", "FINISHED")


class Copies(Core):
    """State as after a restart at each chunk: equal, and never the same object."""

    def get(self, store: str, key: bytes) -> Stored | None:
        found = super().get(store, key)
        return Stored(bytes(bytearray(found.value)), list(found.headers)) if found else None


def load(rng: random.Random, count: int) -> list[Record]:
    """Steps of a few dossiers and procedures, some late, doubled, with other content under one id, or lawless."""
    out: list[Record] = []
    for number in range(count):
        which, at = rng.randrange(12), number // 4 + rng.choice((0, 0, 0, -2, 1))
        facts: dict[str, Any] = {"due_at": 1_767_571_200_000 + 90 * 86_400_000} if rng.random() < 0.3 else {}
        facts |= {"note": f"n{number}"} if rng.random() < 0.5 else {}
        facts |= {"agency_code": "000.00.12.H11"} if rng.random() < 0.3 else {}
        datum = step(rng.choice(KINDS), at, f"H11.12-260105-{which:04d}", **facts)
        made = record(datum, f"e{rng.randrange(count)}" if rng.random() < 0.1 else f"u{number}", offset=number)
        if rng.random() < 0.1:
            change = {"procedure_code": f"1.00419{which % 5}", "change": "AMENDED", "occurred_at": datum["occurred_at"]}
            made = record(
                change | {"name": f"p{number}"}, f"p{number}", type=families.PROCEDURE.published, offset=number
            )
        out.append(made)
    return out


@pytest.mark.parametrize("seed", range(12))
def test_same_outputs_and_state_as_when_every_chunk_reads_its_state_anew(seed: int) -> None:
    rng = random.Random(seed)
    records, kept, copies = load(rng, 300), Core(), Copies()
    while records:
        size = rng.randint(1, 25)
        chunk, records = records[:size], records[size:]
        assert kept.run(*chunk) == copies.run(*chunk)
        assert kept.state == copies.state


def test_what_was_worked_and_then_left_does_not_count() -> None:
    core = Core().steps(step("SUBMITTED", 0), step("RECEIVED", 1))
    before = dict(core.state)
    further = record(step("IN_PROCESS", 2), "e2", offset=2)
    first = core.run(further)
    core.state = before  # the broker did not take it, or the lease was lost
    assert core.run(further) == first
    assert core.dossier()["hub_seq"] == 3


def test_a_chunk_that_breaks_leaves_no_half_done_work() -> None:
    core = Core().steps(step("SUBMITTED", 0), step("RECEIVED", 1))
    good = record(step("IN_PROCESS", 2), "e2", offset=2)

    class Broken(Exception):
        pass

    def headers(self: object) -> object:
        raise Broken

    unlawful = record(step("IN_PROCESS", 3), "e3", offset=3, headers=property(headers))  # no list: the step breaks
    with pytest.raises(TypeError):
        core.run(good, unlawful)
    core.run(good)
    assert core.dossier()["hub_seq"] == 3


@pytest.mark.patches
def test_the_least_recently_put_goes_first() -> None:
    class Plain(KeyState):
        def apply(self, *_: object) -> bytes:
            raise NotImplementedError

        def headers(self) -> list[tuple[str, bytes]]:
            raise NotImplementedError

    kept, states = RecentKeys(limit=2), [Stored(b"%d" % n) for n in range(3)]
    works = [Plain(None, None) for _ in states]  # type: ignore[arg-type]
    for number, (stored, work) in enumerate(zip(states, works, strict=True)):
        kept.put(("s", b"%d" % number), stored, work)
    assert kept.take(("s", b"0"), states[0]) is None
    assert kept.take(("s", b"1"), Stored(b"1")) is None  # equal, not the same
    assert kept.take(("s", b"2"), states[2]) is works[2]
    assert kept.take(("s", b"2"), states[2]) is None  # taken out


def stored_before_rescheduled(stored: Stored) -> Stored:
    """The record as that program would have written it."""
    headers = dict(stored.headers)
    new = {STEPS.index(kind): number for number, kind in enumerate(OLD_KINDS)}

    def old(key: int) -> int:
        return key - (key >> 16 & 0xF) * 2**16 + new[key >> 16 & 0xF] * 2**16 if key else 0

    steps, told = headers["steps"], headers["facts"]
    assert steps[:14] == struct.pack("<BBHBBq", 2, 0, 0, 10, 10, 0)  # nothing was dropped
    keys = struct.unpack(f"<{(len(steps) - 14) // 8}q", steps[14:])
    headers["steps"] = b"\x01" + steps[1:14] + struct.pack(f"<{len(keys)}q", *map(old, keys))
    headers["facts"] = facts.pack_keys([old(key) for key in facts.unpack_all(told)])
    return Stored(stored.value, list(headers.items()))


def test_a_state_stored_before_rescheduled_goes_on_as_if_nothing_had_been() -> None:
    """Two steps of one day, all that their source knows, after the program was renewed between them; facts as well."""
    steps = [
        step("RECEIVED", 0, due_at=T0 + 9 * DAY),
        step("FINISHED", 3, remark="xong", agency_name="Phòng 1"),
        step("RATED", 4, rating=5),
        step("WITHDRAWN", 3, remark="rút"),  # older than the end by its kind: its remark does not count
        step("RETURNED", 4, remark="đã trả"),
    ]
    plain, renewed = Core(), Core()
    plain.steps(*steps[:3])
    renewed.steps(*steps[:3])
    ident = topics.DOSSIERS, CODE.encode()
    renewed.state[ident] = stored_before_rescheduled(renewed.state[ident])
    assert renewed.state[ident].headers != plain.state[ident].headers
    for core in (plain, renewed):
        core.steps(*steps[3:], prefix="f")
    assert plain.dossier() == renewed.dossier()
    assert plain.state[ident].headers == renewed.state[ident].headers
    assert [d.reason for d in plain.dead] == [d.reason for d in renewed.dead] == ["transition"]
