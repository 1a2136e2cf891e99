"""Steps that repeat their dossier's facts come out as those that are looked at from beginning to end."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hub.avro.body_reader import marked_reader, reader
from hub.avro.body_writer import marked_writer, writer
from hub.avro.codec import schema_json
from hub.config import Settings
from hub.core import repeated_step
from hub.errors import BadRecord
from hub.events import envelope as ce
from hub.events import families
from hub.model import facts, step_history
from hub.model.dates import Dates
from hub.model.dates import unpack as unpack_dates
from hub.model.deadline_rules import rules as deadline_rules
from hub.model.deadline_watch import followed
from hub.model.lifecycle import WAITING
from hub.stream.stage import Record, Stored
from tests.support.core import CODE, DAY, T0, Core, record, step

KINDS = (*["IN_PROCESS"] * 8, "SUBMITTED", "RECEIVED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN", "PAYMENT_REQUESTED",
         "PAYMENT_MADE", "TRANSFERRED", "FINISHED", "RATED", "UNKNOWN")  # fmt: skip
HANDLERS = (None, {"name": "Trần Thị Bình", "title": "Chuyên viên", "department": None}, {"name": " "})
NOTES = (None, "x", "Thẩm định hồ sơ " * 5, "Tie\u0302p nha\u0323\u0302n", " ", "n" * 300)
APPLICANT = {"name": "Nguyễn Văn An", "kind": "CITIZEN", "identity_number": None, "phone": "0900000000"}
FILE = {"id": "1", "name": "Đơn.pdf", "component_code": None, "url": None, "result": False, "digitised": True}


class Whole(Core):
    """Looks at every step from beginning to end: state is never the object that it gave, and a chunk is one step."""

    def get(self, store: str, key: bytes) -> Stored | None:
        found = super().get(store, key)
        return Stored(found.value, list(found.headers)) if found else None


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
def test_the_same_comes_out_as_of_steps_looked_at_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    settings = Settings(core={"keep_steps": rng.choice((2, 5, 16))})
    records, fast, whole = load(rng, 250), Core(settings), Whole(settings)
    while records:
        size = rng.randint(1, 25)
        chunk, records = records[:size], records[size:]
        fast.run(*chunk)
        for row in chunk:
            whole.run(row)
        assert fast.out == whole.out
        assert fast.state == whole.state


@pytest.mark.patches
@pytest.mark.parametrize("seed", range(5))
def test_that_load_has_repetitions_and_its_oracle_never_takes_the_short_way(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[bool] = []
    read = repeated_step.Repeat.read

    def noting(*given: Any) -> Any:
        found = read(*given)
        known.append(bool(found))
        return found

    monkeypatch.setattr(repeated_step.Repeat, "read", noting)
    records, fast, whole = load(random.Random(seed), 250), Core(), Whole()
    for row in records:
        whole.run(row)
    assert known == []
    fast.run(*records)
    assert sum(known) > 10


@pytest.mark.parametrize("seed", range(40))
def test_a_watch_that_looks_only_at_what_changed_is_the_same(seed: int) -> None:
    rng, rules = random.Random(seed), deadline_rules(Settings().deadlines)
    known, keep, newest_key = step_history.History(), rng.choice((2, 4, 16)), 0
    watch, at, dates = None, T0, Dates()
    for number in range(150):
        at += rng.choice((0, 1, DAY // 3, DAY))
        late = rng.choice((0, 0, 0, 2 * DAY))
        key = step_history.order_key(at - late, rng.choice(KINDS[:14]), False, number)
        try:
            judged = known.add(key, keep)
        except BadRecord:
            continue
        told = rng.choice((0,) * 9 + (T0 + 40 * DAY + rng.randrange(20) * DAY,)) or (0 if watch else T0 + 40 * DAY)
        newest = told != 0 and key >= newest_key
        newest_key = key if newest else newest_key
        dates = dates.after(known, judged.history, key, told, newest)
        assert len(dates.told) == len(judged.history.keys)
        due_at, since = dates.promised(judged.history)
        in_order = not known.keys or key >= known.keys[-1]
        settled, waited = in_order and not dates.full, known.tail.status in WAITING
        whole = followed(None, rules, due_at, since, dates, judged.history)
        assert followed(watch, rules, due_at, since, dates, judged.history, settled, waited) == whole
        watch, known = whole, judged.history
        if rng.random() < 0.1:
            watch = watch._replace(mask=rng.randrange(1, 4))
            dates = dates.reporting(watch.deadline_at, watch.mask)
        if packed := dates.pack():
            assert unpack_dates(packed) == dates


def test_fields_beyond_those_known_here_must_be_looked_at_before_a_step_may_repeat_them() -> None:
    own = {"dossier_code", "step", "occurred_at", "correction", "handler", "note", "transferred_to", "rating",
           "step_started_at", "step_due_at", "transfer_limit", "transfer_limit_unit"}  # fmt: skip
    merged = {*facts.DOSSIER_FIELDS, *facts.LATER_FIELDS, "applicant", "attachments", "fees"}
    step_fields = [field["name"] for field in schema_json("vn.hub.DossierStep")["fields"]]
    assert set(step_fields) == own | merged
    # what lies between the facts' first and last field is compared, what follows the step's dates must be null
    first, last = step_fields.index("procedure_code"), step_fields.index("step_started_at")
    assert set(step_fields[:first]) == own - set(step_fields[last:])
    # of the dossier, only what stands before the facts changes with each step
    dossier_fields = [field["name"] for field in schema_json("vn.hub.Dossier")["fields"]]
    assert dossier_fields[:4] == ["dossier_code", "hub_seq", "status", "status_at"]
    derived = {"received_at_derived", "due_at_derived"}  # from facts; where the kind of step counts it is looked at
    assert set(dossier_fields[4:]) == merged | {facts.HOLDER, "holder_since", "holder_due_at"} | derived


def test_marks_tell_where_fields_begin() -> None:
    datum = reader("vn.hub.DossierStep")(writer("vn.hub.DossierStep")(step("RECEIVED", 1, note="Bước", remark="r")), 0)
    for number, name in enumerate(names := list(datum)):
        body, (place,) = marked_writer("vn.hub.DossierStep", name)(datum)
        assert body == writer("vn.hub.DossierStep")(datum)
        assert marked_reader("vn.hub.DossierStep", name)(b"." + body, 1) == (datum, (place + 1,))
        assert (
            place == 0 if number == 0 else place > marked_writer("vn.hub.DossierStep", names[number - 1])(datum)[1][0]
        )


@pytest.mark.parametrize("more", [{}, {"time": "2026-01-05T00:00:00.000Z"}, {"traceparent": "00-ab-cd-01"}])
def test_plain_headers_lead_to_those_of_the_envelope(more: dict[str, Any]) -> None:
    envelope = ce.Envelope(
        "i1", "urn:a", families.DOSSIER.published, CODE, recordedtime="2026-11-24T00:00:00.000Z", **more
    )
    found = ce.plain(envelope.headers())
    assert found is not None
    caused = envelope.caused(families.DOSSIER.event.type, 7).headers()
    assert ce.plain_caused(found, families.DOSSIER.event.type, CODE.encode(), 7) == caused


@pytest.mark.parametrize(
    ("name", "value"),
    [("ce_id", None), ("ce_id", b""), ("ce_id", "é".encode()), ("ce_source", b""), ("ce_recordedtime", b""),
     ("ce_specversion", b"0.3"), ("ce_origin", b"p"), ("hub_seq", b"3")],
)  # fmt: skip
def test_other_headers_are_not_plain(name: str, value: Any) -> None:
    headers = record(step("RECEIVED", 1), "e").headers
    assert ce.plain(headers) is not None
    assert ce.plain([*(pair for pair in headers if pair[0] != name), (name, value)]) is None
    assert ce.plain([*headers, headers[0]]) is None


def test_packed_keys_split_at_the_newest() -> None:
    keys = [5, 9, 9, 1, 0, 9]
    before, after = facts.pack_split(keys)
    assert before + (9).to_bytes(8, "little") + after == facts.pack_keys(keys)
    assert facts.unpack_all(before + (12).to_bytes(8, "little") + after) == (5, 12, 12, 1, 0, 12)
