"""How records are cut into chunks changes nothing of what comes out, and what a chunk left half done does not count."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hub.config import Settings
from hub.stream.stage import Record
from tests.support.core import DAY, T0, Core, record, step

KINDS = (*["IN_PROCESS"] * 8, "SUBMITTED", "RECEIVED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN", "PAYMENT_REQUESTED",
         "PAYMENT_MADE", "TRANSFERRED", "FINISHED", "RATED", "UNKNOWN")  # fmt: skip
HANDLERS = (None, {"name": "Trần Thị Bình", "title": "Chuyên viên", "department": None}, {"name": " "})
NOTES = (None, "x", "Thẩm định hồ sơ " * 5, "Tie\u0302p nha\u0323\u0302n", " ", "n" * 300)
APPLICANT = {"name": "Nguyễn Văn An", "kind": "CITIZEN", "identity_number": None, "phone": "0900000000"}
FILE = {"id": "1", "name": "Đơn.pdf", "component_code": None, "url": None, "result": False, "digitised": True}


def facts_of(rng: random.Random) -> dict[str, Any]:
    """Of one of a few shapes, so that neighbours are often alike, sometimes nearly."""
    shape = rng.randrange(8)
    told: dict[str, Any] = {"procedure_code": "1.004194", "agency_code": "H11.12", "channel": "ONLINE"}
    if shape == 0:
        return {}
    if shape == 1:
        told |= {"due_at": T0 + rng.choice((90, 90, 95)) * DAY, "applicant": APPLICANT}
    if shape == 2:
        told |= {"attachments": [FILE | {"id": str(rng.randrange(3))}], "received_at": T0}
    if shape == 3:
        told |= {"agency_code": rng.choice(("000.00.12.H11", "h11.12", "?"))}
    if shape == 4:
        told |= {"parent_code": "H11.12-260105-9999", "remark": "e\u0301"}
    return told


def load(rng: random.Random, count: int) -> list[Record]:
    """Steps of three dossiers; some late, sent twice, unlawful, passed on, with a name or a date to be mended."""
    out: list[Record] = []
    told = facts_of(rng)
    for number in range(count):
        if rng.random() < 0.15:
            told = facts_of(rng) | {"handler": rng.choice(HANDLERS)}
        kind = rng.choice(KINDS)
        at = T0 + number * DAY // 4 + rng.choice((0, 0, 0, 0, 0, 0, -3 * DAY, DAY // 4))
        odd = rng.random() < 0.2
        more: dict[str, Any] = {"note": rng.choice(NOTES if odd else NOTES[:3])}
        more |= {
            "step_started_at": rng.choice((None, 5) if odd else (at,)),
            "step_due_at": rng.choice((None, at + DAY)),
        }
        more |= {"parent_code": "H11.12-260105-9999"} if odd and rng.random() < 0.3 else {}
        at += 1000 * DAY if odd and rng.random() < 0.1 else 0
        more |= {"transferred_to": "H11.13"} if kind == "TRANSFERRED" else {}
        more |= {"rating": 4} if kind == "RATED" and rng.random() < 0.7 else {}
        more |= {"correction": True} if rng.random() < 0.1 else {}
        datum = step(kind, at, f"H11.12-260105-{rng.randrange(3):04d}", **told | more)
        made = record(datum, f"e{rng.randrange(count)}" if rng.random() < 0.1 else f"u{number}", offset=number)
        headers = list(made.headers)
        if rng.random() < 0.1:
            header = rng.choice((("ce_origin", b"portal"), ("ce_traceparent", b"00-ab"), ("ce_time", "é".encode()),
                              ("ce_subject", b""), ("ce_recordedtime", b""), ("ce_id", b"\xff")))  # fmt: skip
            headers = [pair for pair in headers if pair[0] != header[0]] + [header]
        out.append(record(datum, "", offset=number, value=made.value, headers=headers))
    return out


@pytest.mark.parametrize("seed", range(40))
def test_the_same_comes_out_as_of_chunks_of_one_record(seed: int) -> None:
    rng = random.Random(seed)
    settings = Settings(core={"keep_steps": rng.choice((2, 5, 16))})
    records, chunks, single = load(rng, 250), Core(settings), Core(settings)
    while records:
        size = rng.randint(1, 25)
        chunk, records = records[:size], records[size:]
        chunks.run(*chunk)
        for row in chunk:
            single.run(row)
        assert chunks.out == single.out
        assert chunks.state == single.state


def test_what_was_worked_and_then_left_does_not_count() -> None:
    core = Core().steps(step("SUBMITTED", 0), step("RECEIVED", 1))
    before = dict(core.state)
    further = record(step("IN_PROCESS", 2), "e2", offset=2)
    first = core.run(further)
    core.state = before  # the broker did not take it, or the lease was lost
    assert core.run(further) == first
    assert core.dossier().hub_seq == 3


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
    assert core.dossier().hub_seq == 3
