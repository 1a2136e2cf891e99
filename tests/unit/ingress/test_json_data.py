"""JSON against the Avro schema: what is converted, what is refused; a refusal helps and tells no secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hub.avro.bodies import DOSSIER_STEP
from hub.avro.doors import POSTED
from hub.avro.generic import encode_body, parsed, schema_json
from hub.avro.record import Moment
from hub.avro.records import DossierStep
from hub.errors import BadRecord
from hub.events import families
from hub.ingress.json_data import read_data
from hub.ingress.times import json_time
from tests.support.posted import door_forms, steps, with_milliseconds

STEP = "vn.hub.DossierStep"
LEAST = {"dossier_code": "H11.12-261124-0001", "step": "RECEIVED", "occurred_at": 1_795_489_200_000}


FEE = {"code": "P", "name": "Phí", "amount_vnd": 1}


def step(given: Any) -> DossierStep:
    record = read_data(STEP, given)
    assert isinstance(record, DossierStep)
    return record


def refusal(**fields: Any) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        read_data(STEP, LEAST | fields)
    return caught.value


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        # By hand: 2026-11-24T00:00Z is day 20,781 since 1970, times 86,400 s.
        ("2026-11-24T00:00:00Z", 1_795_478_400_000),
        ("2026-11-24T07:00:00+07:00", 1_795_478_400_000),
        ("2026-11-24t00:00:00.25z", 1_795_478_400_250),
        ("2026-11-24 00:00:00.123456789Z", 1_795_478_400_123),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ],
)
def test_times_become_milliseconds(text: str, ms: int) -> None:
    assert step(LEAST | {"occurred_at": text}).occurred_at == ms


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-31T08:00:00+07:00",
        "2023-02-29T00:00:00Z",
        "2026-11-24T08:00:00",  # no offset
        "2026-11-24",
        "24/11/2026",
        "2026-W48-2T08:00:00Z",
        "2026-11-24T24:01:00Z",
        1_795_489_200,  # seconds
        0,
        -5,
        10**18,
        1.5,
        True,
        None,
        [],
    ],
)
def test_what_is_no_time_is_refused_as_date(value: Any) -> None:
    error = refusal(occurred_at=value)
    assert (error.reason, error.field) == ("date", "data.occurred_at")


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"step": "TIẾP NHẬN"}, "status", "data.step"),
        ({"step": "UNKNOWN"}, "status", "data.step"),
        ({"step": 4}, "status", "data.step"),
        ({"rating": "5"}, "type", "data.rating"),
        ({"rating": 2**31}, "type", "data.rating"),
        ({"rating": True}, "type", "data.rating"),
        ({"correction": None}, "type", "data.correction"),
        ({"fees": None}, "type", "data.fees"),
        ({"fees": [{"code": "P", "name": "Phí", "amount_vnd": 1.5}]}, "type", "data.fees[0].amount_vnd"),
        ({"fees": [{"code": "P", "name": "Phí"}]}, "missing_field", "data.fees[0].amount_vnd"),
        ({"applicant": {"kind": "NGƯỜI"}}, "status", "data.applicant.kind"),
        ({"dossier_code": None}, "type", "data.dossier_code"),
    ],
)
def test_field_and_reason_are_named(fields: dict[str, Any], reason: str, field: str) -> None:
    error = refusal(**fields)
    assert (error.reason, error.field) == (reason, field)
    assert field in error.detail


def test_an_unknown_field_is_named_with_what_there_is() -> None:
    error = refusal(dossier_cod="x")
    assert error.reason == "unknown_field"
    assert "data.dossier_cod: no such field" in error.detail
    assert "dossier_code" in error.detail


def test_each_required_field_is_asked_for() -> None:
    for name in LEAST:
        with pytest.raises(BadRecord) as caught:
            read_data(STEP, {k: v for k, v in LEAST.items() if k != name})
        assert (caught.value.reason, caught.value.field) == ("missing_field", f"data.{name}")


@pytest.mark.parametrize(
    "fields",
    [
        {"applicant": "Nguyễn Thị Bí Mật"},
        {"applicant": {"name": ["Nguyễn Thị Bí Mật"]}},
        {"applicant": {"identity_number": 12345678901}},
        {"note": {"x": "Bí Mật"}},
        {"abstract": 12345678901},
        {"handler": {"name": 12345678901}},
    ],
)
def test_personal_values_are_not_repeated(fields: dict[str, Any]) -> None:
    error = refusal(**fields)
    assert "Mật" not in error.detail
    assert "12345678901" not in error.detail
    assert "personal" in error.detail


def test_other_values_are_shown_cut() -> None:
    assert "x" * 60 + "…" in refusal(step="x" * 5_000).detail
    assert len(refusal(step="x" * 5_000).detail) < 500


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [field["name"] for field in parsed(STEP)["fields"]]


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=10), JSON_VALUES, max_size=6))
def test_whatever_comes_is_refused_as_a_bad_record_or_fits_the_schema(fields: dict[str, Any]) -> None:
    """The schema library is the oracle of what fits. No times among what comes, so each stands as it was given."""
    try:
        record = step(LEAST | fields)
    except BadRecord as error:
        assert error.detail  # noqa: PT017  (either outcome is right, this one must say why)
        return
    assert DOSSIER_STEP.write(record) == encode_body(STEP, LEAST | fields)


@settings(max_examples=150)
@given(steps())
def test_a_fitting_value_is_written_as_the_schema_library_would(value: Any) -> None:
    assert DOSSIER_STEP.write(step(value)) == encode_body(STEP, with_milliseconds(value))


def test_all_three_families_may_be_posted() -> None:
    assert set(POSTED) == {family.published_record for family in families.FAMILIES}
    procedure = {"procedure_code": "1.004194", "change": "PUBLISHED", "occurred_at": "2026-01-01T00:00:00Z"}
    assert read_data("vn.hub.ProcedureChange", procedure | {"time_limit": 15, "time_limit_unit": "Ngày"})
    service = {"service_code": "1.004194.01", "change": "AMENDED", "occurred_at": 1_795_489_200_000}
    assert read_data("vn.hub.ServiceChange", service | {"level": 4, "channels": ["dvcqg"]})


@pytest.mark.parametrize("name", sorted(POSTED))
def test_a_door_form_differs_from_its_record_only_in_what_a_sender_may_write(name: str) -> None:
    """Its fields, defaults and marks are the record's; it refuses what it does not know; times may be text."""
    for posted, schema in door_forms(POSTED[name], schema_json(name), {}):
        assert posted.__struct_config__.forbid_unknown_fields
        own = {field.name: field for field in structs.fields(posted)}
        assert set(own) == {field["name"] for field in schema["fields"]}
        assert frozenset(field["name"] for field in schema["fields"] if field.get("personal")) == posted.PERSONAL
        for field in schema["fields"]:
            assert own[field["name"]].required == ("default" not in field)
            kind = repr(field["type"])
            is_time = "timestamp-millis" in kind and "fields" not in kind
            assert is_time == ("Moment" in repr(own[field["name"]].type))


MESSAGES: dict[str, tuple[Any, str, str, str]] = {
    # what msgspec says -> (what came, reason, field, the hub's words); the place is always its last words
    "Expected `object`, got `array`": ([], "type", "data", "data: must be an object; got *** (personal)"),
    "Expected `object | null`, got `str` - at `$.applicant`": (
        LEAST | {"applicant": "Bí Mật"}, "type", "data.applicant", "data.applicant: must be an object; got *** (pers"),
    "Expected `object`, got `int` - at `$.fees[1]`": (
        LEAST | {"fees": [FEE, 3]}, "type", "data.fees[1]", "data.fees[1]: must be an object; got 3"),
    "Expected `array`, got `null` - at `$.fees`": (
        LEAST | {"fees": None}, "type", "data.fees", "data.fees: must be a list; got null"),
    "Expected `str`, got `int` - at `$.dossier_code`": (
        LEAST | {"dossier_code": 7}, "type", "data.dossier_code", "data.dossier_code: must be a string; got 7"),
    "Expected `str | null`, got `array` - at `$.field_name`": (
        LEAST | {"field_name": []}, "type", "data.field_name", "data.field_name: must be a string; got a list"),
    "Expected `bool`, got `str` - at `$.correction`": (
        LEAST | {"correction": "có"}, "type", "data.correction", 'data.correction: must be true or false; got "có"'),
    "Expected `int | null`, got `float` - at `$.rating`": (
        LEAST | {"rating": 5.0}, "type", "data.rating", "data.rating: must be a whole number of 32 bits; got 5.0"),
    "Expected `int` <= 2147483647 - at `$.rating`": (
        LEAST | {"rating": 2**31}, "type", "data.rating", "must be a whole number of 32 bits; got 2147483648"),
    "Expected `int` >= -2147483648 - at `$.rating`": (
        LEAST | {"rating": -(2**31) - 1}, "type", "data.rating", "must be a whole number of 32 bits; got -2147483649"),
    "Expected `int` <= 9223372036854775807 - at `$.fees[0].amount_vnd`": (
        LEAST | {"fees": [FEE | {"amount_vnd": 2**63}]}, "type", "data.fees[0].amount_vnd", "whole number of 64 bits"),
    "Expected `float | null`, got `bool` - at `$.transfer_limit`": (
        LEAST | {"transfer_limit": True}, "type", "data.transfer_limit", "must be a number; got true"),
    "Expected `float` <= 1.7976931348623157e+308 - at `$.transfer_limit`": (
        LEAST | {"transfer_limit": float("inf")}, "type", "data.transfer_limit", "must be a number; got Infinity"),
    "Invalid enum value 'Bí Mật' - at `$.step`": (
        LEAST | {"step": "Bí Mật"}, "status", "data.step", 'data.step: must be one of SUBMITTED, RECEIVED, NOT_ACCEP'),
    "Expected `str`, got `null` - at `$.step`": (
        LEAST | {"step": None}, "status", "data.step", "RATED, RESCHEDULED; got null"),
    "there is no such date or time - at `$.due_at`": (
        LEAST | {"due_at": "2026-02-30T08:00:00Z"}, "date", "data.due_at",
        'data.due_at: there is no such date or time; got "2026-02-30T08:00:00Z"'),
    "Object contains unknown field `stpe`": (
        LEAST | {"stpe": 1}, "unknown_field", "data", "data.stpe: no such field; known: dossier_code, step, occur"),
    "Object contains unknown field `họ tên` - at `$.applicant`": (
        LEAST | {"applicant": {"họ tên": "Bí Mật"}}, "unknown_field", "data.applicant",
        "data.applicant.họ tên: no such field; known: name, kind, identity_number"),
    "Object missing required field `occurred_at`": (
        {"dossier_code": "x", "step": "RATED"}, "missing_field", "data.occurred_at", "data.occurred_at: is required"),
    "Object missing required field `amount_vnd` - at `$.fees[0]`": (
        LEAST | {"fees": [{"code": "P", "name": "Phí"}]}, "missing_field", "data.fees[0].amount_vnd",
        "data.fees[0].amount_vnd: is required"),
}  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES)
def test_each_form_of_msgspec_s_message_has_the_hub_s_words(message: str) -> None:
    """Red after another version of msgspec puts it otherwise: then see whether the place is still found."""
    given, reason, field, words = MESSAGES[message]
    with pytest.raises(msgspec.ValidationError) as raw:
        msgspec.convert(given, POSTED[STEP], dec_hook=lambda _, value: Moment(json_time(value)))
    assert str(raw.value) == message
    with pytest.raises(BadRecord) as caught:
        step(given)
    assert (caught.value.reason, caught.value.field) == (reason, field)
    assert words in caught.value.detail
    assert "Bí Mật" not in caught.value.detail or message.startswith("Invalid enum")
    assert "`" not in caught.value.detail


@pytest.mark.checkout
def test_the_version_of_msgspec_is_pinned_to_the_one_whose_messages_are_known() -> None:
    assert msgspec.__version__ == "0.22.0"
    pinned = (Path(__file__).parents[3] / "requirements" / "hub.txt").read_text("utf-8")
    assert "msgspec==0.22.0" in pinned


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("x` - at `$.step", {}),
        ("x` - at `$.applicant", {"applicant": {"name": "Bí Mật"}}),
        ("x` - at `$.fees[7].name", {"fees": []}),
        ("x` - at `$.applicant.name", {"applicant": {"name": "Bí Mật"}}),
    ],
)
def test_a_field_s_name_that_looks_like_a_place_leads_nowhere(name: str, more: dict[str, Any]) -> None:
    error = refusal(**more, **{name: "Bí Mật"})
    assert (error.reason, error.field) == ("unknown_field", "data")
    assert error.detail.startswith(f"data.{name}: no such field")
    assert "Mật" not in error.detail


def test_a_word_that_looks_like_a_place_leads_nowhere() -> None:
    error = refusal(step="x` - at `$.abstract", abstract="Bí Mật")
    assert (error.reason, error.field) == ("status", "data.step")
    assert "Mật" not in error.detail
