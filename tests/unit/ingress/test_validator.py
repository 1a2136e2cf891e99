"""JSON against the Avro schema: what is converted, what is refused; a refusal helps and tells no secrets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.avro.codec import decode_body, encode_body, parsed
from hub.errors import BadRecord
from hub.ingress.validator import validator

STEP = "vn.hub.DossierStep"
LEAST = {"dossier_code": "H11.12-261124-0001", "step": "RECEIVED", "occurred_at": 1_795_489_200_000}


def refusal(**fields: Any) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        validator(STEP)(LEAST | fields)
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
    assert validator(STEP)(LEAST | {"occurred_at": text})["occurred_at"] == ms


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
            validator(STEP)({k: v for k, v in LEAST.items() if k != name})
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
    """The schema library is the oracle of what fits."""
    try:
        datum = validator(STEP)(LEAST | fields)
    except BadRecord as error:
        assert error.detail  # noqa: PT017  (either outcome is right, this one must say why)
        return
    back = decode_body(encode_body(STEP, datum), parsed(STEP))
    assert {name: back[name] for name in datum} == _defaults(datum, back)


def _defaults(datum: dict[str, Any], back: dict[str, Any]) -> dict[str, Any]:
    """The datum with what the schema adds to nested records that left fields out."""
    out: dict[str, Any] = {}
    for name, value in datum.items():
        if isinstance(value, dict):
            out[name] = back[name] | value
        elif isinstance(value, list):
            out[name] = [b | v for b, v in zip(back[name], value, strict=True)]
        else:
            out[name] = value
    return out


def test_all_three_families_have_a_check() -> None:
    procedure = {"procedure_code": "1.004194", "change": "PUBLISHED", "occurred_at": "2026-01-01T00:00:00Z"}
    assert validator("vn.hub.ProcedureChange")(procedure | {"time_limit": 15, "time_limit_unit": "Ngày"})
    service = {"service_code": "1.004194.01", "change": "AMENDED", "occurred_at": 1_795_489_200_000}
    assert validator("vn.hub.ServiceChange")(service | {"level": 4, "channels": ["dvcqg"]})
