"""States that an older program wrote are read and go on."""

from __future__ import annotations

import struct

from hub.kafka import topics
from hub.model import facts
from hub.model.transitions import STEPS
from hub.stream.stage import Stored
from tests.support.core import CODE, DAY, T0, Core, step

# As the program before RESCHEDULED numbered them in what it stored (decision 13).
OLD_KINDS = ("SUBMITTED", "RECEIVED", "IN_PROCESS", "TRANSFERRED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN",
             "PAYMENT_REQUESTED", "PAYMENT_MADE", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED",
             "RATED")  # fmt: skip


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
