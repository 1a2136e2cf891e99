"""Facts, text and times of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.avro.generic import schema_json
from hub.avro.records import (
    Applicant,
    Attachment,
    Dossier,
    DossierStep,
    Fee,
    Procedure,
    ProcedureChange,
    ProcedureFee,
    ProcedureResult,
)
from hub.errors import BadRecord
from hub.model import catalogue, facts, step_history
from hub.model.text import nfc, tidy
from hub.model.times import AHEAD_MS, check_event_time, check_time, utc_text

T = 1_767_571_200_000
CODE = "H11-260105-0001"
EMPTY = Dossier(dossier_code=CODE, hub_seq=0, status="UNKNOWN", status_at=0)


def paper(id, name, result=False):
    return Attachment(id=id, name=name, result=result)


def told(*writers):
    """Facts after (key, what the step tells) arrive in this order."""
    state, keys = EMPTY, facts.NO_KEYS
    for key, fields in writers:
        step = DossierStep(dossier_code=CODE, step="IN_PROCESS", occurred_at=T, **fields)
        state, keys = facts.merge(state, keys, step, key, 1, "IN_PROCESS", T)
    return state, keys


def at(minute, low=0):
    return step_history.order_key(T + minute * 60_000, "IN_PROCESS", False, low)


def test_a_late_step_fills_what_is_empty_and_undoes_nothing():
    state, _ = told((at(5), {"due_at": 50, "remark": None}), (at(1), {"due_at": 10, "remark": "từ quầy"}))
    assert (state.due_at, state.remark) == (50, "từ quầy")


def test_a_late_step_mends_what_an_older_one_wrote():
    state, _ = told((at(1), {"due_at": 10}), (at(9), {"remark": "x"}), (at(5), {"due_at": 50}))
    assert state.due_at == 50


def test_applicant_fields_count_one_by_one():
    state, _ = told(
        (at(1), {"applicant": Applicant(name="Nguyễn Văn A", kind="BUSINESS", phone="0252")}),
        (at(2), {"applicant": Applicant(name=None, kind="CITIZEN", phone="0909")}),
    )
    assert state.applicant == Applicant(name="Nguyễn Văn A", kind="CITIZEN", phone="0909")


def test_papers_are_united_by_id_results_last():
    state, _ = told(
        (at(1), {"attachments": (paper("b", "Đơn"), paper("a", "CCCD"))}),
        (at(3), {"attachments": (paper("r", "Giấy phép", result=True), paper("a", "CCCD mới"))}),
        (at(2), {"attachments": (paper("a", "CCCD cũ"),)}),
    )
    assert [(p.id, p.name) for p in state.attachments] == [("a", "CCCD mới"), ("b", "Đơn"), ("r", "Giấy phép")]


def test_papers_without_id_are_told_apart_by_name():
    state, _ = told((at(1), {"attachments": (paper("", "Đơn"), paper("", "CCCD"))}))
    assert len(state.attachments) == 2


def test_too_many_papers_are_refused():
    with pytest.raises(BadRecord, match="limit"):
        told((at(1), {"fees": tuple(Fee(code=str(n), name="Phí", amount_vnd=1) for n in range(facts.MAX_ITEMS + 1))}))


def test_a_transfer_names_the_holder():
    newer = {"transferred_to": "H11.03", "step_due_at": None}
    state, _ = told((at(1), newer), (at(0), {"transferred_to": "H11.02", "step_due_at": T + 9}))
    assert (state.holder_agency_code, state.holder_since, state.holder_due_at) == ("H11.03", T + 60_000, None)


def test_keys_given_stay_as_they_are():
    keys = [0] * facts.COUNT
    step = DossierStep(
        dossier_code=CODE,
        step="RECEIVED",
        occurred_at=T,
        due_at=1,
        applicant=Applicant(name="A"),
        fees=(Fee(code="1", name="Phí", amount_vnd=5),),
    )
    facts.merge(EMPTY, keys, step, at(1), 1, "ACCEPTED", T)
    assert not any(keys)


def test_the_number_and_the_status_are_those_given():
    state, _ = facts.merge(
        EMPTY,
        facts.NO_KEYS,
        DossierStep(dossier_code=CODE, step="RECEIVED", occurred_at=T),
        at(1),
        7,
        "ACCEPTED",
        T + 1,
    )
    assert state == Dossier(dossier_code=CODE, hub_seq=7, status="ACCEPTED", status_at=T + 1)


def test_every_fact_that_step_and_dossier_share_is_merged():
    """Of each fact one after another: it is in the dossier, and its key in its place, which is in stored states."""
    values = {"string": "x", "long": T, "int": 2, "boolean": True, "double": 1.5}
    step_fields = {f["name"]: f["type"] for f in schema_json("vn.hub.DossierStep")["fields"]}
    shared = [f["name"] for f in schema_json("vn.hub.Dossier")["fields"] if f["name"] in step_fields]
    lists = {"attachments": (paper("a", "Đơn"),), "fees": (Fee(code="1", name="Phí", amount_vnd=5),)}
    plain = [name for name in shared if name not in {"dossier_code", "applicant", *lists}]
    assert {name for name in facts.FIELDS if "." not in name} == {"holder_agency_code", *plain}
    for name in plain:
        inner = step_fields[name][1]
        kind = inner if isinstance(inner, str) else inner["type"]
        value = "DIRECT" if kind == "enum" else values[kind]
        state, keys = told((at(1), {name: value}))
        assert getattr(state, name) == value, name
        assert [place for place, key in enumerate(keys) if key] == [facts.FIELDS.index(name)], name
    for name, value in lists.items():
        state, keys = told((at(1), {name: value}))
        assert getattr(state, name) == value
        assert keys == [*facts.NO_KEYS, at(1)]


def test_every_fact_of_the_applicant_is_merged():
    fields = [f["name"] for f in schema_json("vn.hub.Applicant")["fields"]]
    assert [f"applicant.{name}" for name in fields] == list(facts.FIELDS[21:31])
    for name in fields:
        value: Any = {"kind": "BUSINESS", "vneid_verified": True}.get(name, "x")
        state, keys = told((at(1), {"applicant": Applicant(**{name: value})}))
        assert getattr(state.applicant, name) == value
        kind = facts.FIELDS.index("applicant.kind")  # always told
        assert {place for place, key in enumerate(keys) if key} == {kind, facts.FIELDS.index(f"applicant.{name}")}


def test_where_the_dates_and_the_holder_stand_among_the_keys():
    assert facts.FIELDS[facts.HOLDER] == "holder_agency_code"
    assert (facts.FIELDS[facts.RECEIVED_AT], facts.FIELDS[facts.DUE_AT]) == ("received_at", "due_at")
    assert len(facts.FIELDS) == facts.COUNT == len(facts.NO_KEYS)


def test_every_fact_of_the_catalogue_is_merged():
    for name, fields in (("Procedure", catalogue.PROCEDURE_FIELDS), ("OnlineService", catalogue.SERVICE_FIELDS)):
        known = {f["name"] for f in schema_json(f"vn.hub.{name}")["fields"]}
        code = "procedure_code" if name == "Procedure" else "service_code"
        assert known - {code, "hub_seq", "active", "active_since", "changed_at"} == set(fields)


_value = st.none() | st.integers(1, 9)
_step = st.fixed_dictionaries(
    {
        "due_at": _value,
        "remark": st.none() | st.sampled_from(["x", "y"]),
        "transferred_to": st.none() | st.sampled_from(["H11.01", "H11.02"]),
        "step_due_at": _value,
        "parent_code": st.none() | st.sampled_from(["H11-260105-0002", "H11-260105-0003"]),
        "applicant": st.none() | st.builds(Applicant, st.none() | st.just("A")),
        "attachments": st.lists(
            st.builds(paper, st.sampled_from("abc"), st.sampled_from("xyz"), st.booleans()), max_size=5
        ).map(tuple),
        "fees": st.lists(st.builds(Fee, st.sampled_from("12"), st.just("Phí"), st.integers(0, 3)), max_size=5).map(
            tuple
        ),
    }
)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 3), _step), max_size=6), st.randoms(use_true_random=False))
def test_facts_do_not_depend_on_the_order_of_arrival(steps, random):
    writers = [(at(minute, low), step) for low, (minute, step) in enumerate(steps)]
    shuffled = writers[:]
    random.shuffle(shuffled)
    state, keys = told(*writers)
    assert told(*shuffled) == (state, keys)
    items = len(state.attachments) + len(state.fees)
    assert facts.unpack_keys(facts.pack_keys(keys), items) == keys


@given(st.lists(st.integers(0, 2**63 - 1), max_size=400) | st.integers(250, 260).map(lambda n: list(range(n))))
def test_keys_pack_round_trip(keys):
    assert list(facts.unpack_all(facts.pack_keys(keys))) == keys


def test_keys_of_an_older_program_get_the_new_fields():
    old = facts.pack_keys([*range(1, facts.COUNT - 1), 77])
    assert facts.unpack_keys(old, 1) == [*range(1, facts.COUNT - 1), 0, 0, 77]


# --- catalogue ---------------------------------------------------------------------------------------------------


def change(kind, minute, **more):
    return catalogue.order_key(T + minute, kind, 0), ProcedureChange(
        procedure_code="1.004194", change=kind, occurred_at=T + minute, **more
    )


def entry(*changes):
    keys: Sequence[int] = ()
    state, lates = Procedure(procedure_code="1.004194", hub_seq=0, active=True, changed_at=0), []
    for key, told in changes:
        state, keys, late = catalogue.merge(state, keys, told, key, catalogue.PROCEDURE_FIELDS)
        lates.append(late)
    return state, lates


def test_a_late_publication_does_not_bring_a_withdrawn_procedure_back():
    state, lates = entry(change("WITHDRAWN", 5), change("PUBLISHED", 1, name="Cấp phép"))
    assert state == Procedure(
        procedure_code="1.004194", hub_seq=0, active=False, changed_at=T + 5, name="Cấp phép", active_since=T + 5
    )
    assert lates == [False, True]


def test_an_amendment_changes_facts_only():
    state, _ = entry(change("WITHDRAWN", 1), change("AMENDED", 2, fee_vnd=5000))
    assert (state.active, state.fee_vnd, state.changed_at) == (False, 5000, T + 2)
    assert state.active_since == T + 1


def test_a_list_that_became_empty_is_empty_and_one_not_told_stays():
    fees, results = (ProcedureFee(code="LP1", amount_vnd=5000),), (ProcedureResult(code="KQ1"),)
    state, _ = entry(change("PUBLISHED", 1, fees=fees, results=results), change("AMENDED", 2, fees=()))
    assert (state.fees, state.results) == ((), results)


# --- text and times ----------------------------------------------------------------------------------------------


def test_text_becomes_nfc_everywhere():
    nfd = "Nguye\u0302\u0303n"
    given = DossierStep(
        dossier_code=CODE,
        step="RECEIVED",
        occurred_at=T,
        note=nfd,
        remark="ascii",
        applicant=Applicant(name=nfd),
        fees=(Fee(code="1", name=nfd, amount_vnd=5),),
        received_at=T,
    )
    wanted = DossierStep(
        dossier_code=CODE, step="RECEIVED", occurred_at=T, note="Nguyễn", remark="ascii",
        applicant=Applicant(name="Nguyễn"),
        fees=(Fee(code="1", name="Nguyễn", amount_vnd=5),), received_at=T,
    )  # fmt: skip
    mended = tidy(given)
    assert mended == wanted
    assert tidy(mended) is mended
    listed = ProcedureChange(procedure_code="1.004194", change="PUBLISHED", occurred_at=T, linked_procedures=(nfd, "a"))
    assert tidy(listed) == ProcedureChange(
        procedure_code="1.004194", change="PUBLISHED", occurred_at=T, linked_procedures=("Nguyễn", "a")
    )


@given(st.text())
def test_nfc_is_idempotent(text):
    assert nfc(nfc(text)) == nfc(text)


def test_blanks_are_no_value_but_for_required_fields():
    given = DossierStep(
        dossier_code="",
        step="RECEIVED",
        occurred_at=T,
        note=" \t\u00a0",
        applicant=Applicant(name="A", phone=""),
        attachments=(Attachment(id=""),),
    )
    wanted = DossierStep(
        dossier_code="", step="RECEIVED", occurred_at=T, applicant=Applicant(name="A"), attachments=(Attachment(id=""),)
    )
    assert tidy(given, {"dossier_code"}) == wanted


def test_seconds_and_zero_are_no_milliseconds():
    for wrong in (0, -1, 1_767_571_200, 1 << 42):
        with pytest.raises(BadRecord, match="due_at"):
            check_time(wrong, "due_at")
    check_time(T, "due_at")


def test_an_event_from_the_future_is_refused():
    check_event_time(T + AHEAD_MS, "occurred_at", T)
    with pytest.raises(BadRecord, match=r"2026-01-06T00:00:00.001Z"):
        check_event_time(T + AHEAD_MS + 1, "occurred_at", T)


def test_utc_text():
    assert utc_text(T + 7) == "2026-01-05T00:00:00.007Z"
