"""Codes against the samples of docs/field/codes.md; accepted and refused."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadRecord
from hub.model import codes

# written, new form; the samples stand there, the other half of each row is worked out by hand by their rule
AGENCIES = [
    ("000.00.00.H49", "H49"),  # UBND tỉnh Quảng Ninh
    ("000.00.12.H11", "H11.12"),
    ("H11.12", "H11.12"),
    ("H11", "H11"),
    ("000.00.06.H56", "H56.06"),
    ("000.00.53.H48", "H48.53"),
    ("000.17.22.H56", "H56.22.17"),
    ("H56.14", "H56.14"),
    ("000.00.01.H22", "H22.01"),
    ("000.00.00.G22", "G22"),
    ("G09.20", "G09.20"),
    ("0106001236", "0106001236"),
    (" h11.12 \n", "H11.12"),
    ("005.17.22.H56", "H56.22.17.005"),
]


@pytest.mark.parametrize(("written", "new"), AGENCIES)
def test_agency_code_in_either_form(written, new):
    code = codes.agency(written)
    assert (code.original, code.normal) == (written, new)


def test_a_zero_group_in_the_middle_names_another_office():
    assert codes.agency("000.17.00.H56").normal != codes.agency("000.00.17.H56").normal


@pytest.mark.parametrize(
    "text",
    ["", "H", "H1", "11.H12", "H11.", "H11..12", "H11-12", "000.00.12", "00.00.12.H11", "000.00.12.H11.1",
     "000.00.000.H11", "Sở Y tế", "H11.é", "12345", "01060012361", "H11." + "1" * 32, "Ｈ11"],
)  # fmt: skip
def test_agency_code_refused(text):
    with pytest.raises(BadRecord) as caught:
        codes.agency(text, "agency_code")
    assert (caught.value.reason, caught.value.field) == ("code", "agency_code")
    assert repr(text[:60])[1:-1] in caught.value.detail


@pytest.mark.parametrize(
    ("text", "agency", "day", "counter"),
    [
        ("000.00.06.H56-231027-0361", "H56.06", date(2023, 10, 27), "0361"),
        ("000.00.53.H48-220921-0099", "H48.53", date(2022, 9, 21), "0099"),
        ("000.17.22.H56-210531-0001", "H56.22.17", date(2021, 5, 31), "0001"),
        ("G09.20-20260609-0092637", "G09.20", date(2026, 6, 9), "0092637"),
        ("H56.14-231027-0001", "H56.14", date(2023, 10, 27), "0001"),
        ("H11.12-240229-12345", "H11.12", date(2024, 2, 29), "12345"),
    ],
)
def test_dossier_code(text, agency, day, counter):
    code = codes.dossier(text)
    assert (code.text, code.agency, code.day, code.counter) == (text, agency, day, counter)


@pytest.mark.parametrize(
    "text",
    ["", "H11.12", "H11.12-260105-001", "H11.12-260231-0001", "H11.12-20260231-0001", "H11.12-2601050-0001",
     "H11.12_260105_0001", "h11.12-260105-0001", " H11.12-260105-0001", "H11.12-260105-0001 ", "H11.12-260105-00x1",
     "-260105-0001", "11.12-260105-0001", "H11.12-230229-0001", "H11.12-260105-٠٠٠١"],
)  # fmt: skip
def test_dossier_code_refused(text):
    with pytest.raises(BadRecord) as caught:
        codes.dossier(text)
    assert (caught.value.reason, caught.value.field) == ("code", "dossier_code")


@pytest.mark.parametrize("text", ["1.004194", "1.001612.000.00.00.H48", "2.002621.H56", "2.000815.000.00.00.H55"])
def test_procedure_code(text):
    assert codes.procedure(text) == text


@pytest.mark.parametrize("text", ["", "1004194", "1.04194", "1.0041944", "1.004194.01", "1.004194.000.H48", "TTHC-1"])
def test_procedure_code_refused(text):
    with pytest.raises(BadRecord, match="procedure_code"):
        codes.procedure(text)


@pytest.mark.parametrize(
    ("text", "procedure", "number"),
    [
        ("2.000815.000.00.00.H55.02", "2.000815.000.00.00.H55", "02"),
        ("1.004194.01", "1.004194", "01"),
        ("2.002621.H56.03", "2.002621.H56", "03"),
    ],
)
def test_service_code(text, procedure, number):
    code = codes.service(text)
    assert (code.text, code.procedure, code.number) == (text, procedure, number)


@pytest.mark.parametrize("text", ["", "1.004194", "1.004194.1", "1.004194.001", "2.002621.H56"])
def test_service_code_refused(text):
    with pytest.raises(BadRecord, match="service_code"):
        codes.service(text)


def test_old_form():
    assert codes.old_form("H11.12") == "000.00.12.H11"
    assert codes.old_form("H49") == "000.00.00.H49"
    assert codes.old_form("000.00.12.H11") == "000.00.12.H11"


@pytest.mark.parametrize("text", ["H11.1.2.3.4", "H11.123", "0106001236", "H11.AB"])
def test_old_form_cannot_name_every_office(text):
    with pytest.raises(BadRecord):
        codes.old_form(text)


_groups = st.tuples(
    st.integers(0, 999), st.integers(0, 99), st.integers(0, 99), st.sampled_from("GH"), st.integers(0, 99)
)


@given(_groups)
def test_old_form_round_trip(groups):
    third, second, first, letter, province = groups
    old = f"{third:03}.{second:02}.{first:02}.{letter}{province:02}"
    assert codes.old_form(codes.agency(old).normal) == old


@given(st.text(max_size=45))
def test_any_text_is_accepted_or_a_bad_record(text):
    for read in (codes.agency, codes.dossier, codes.procedure, codes.service):
        with contextlib.suppress(BadRecord):
            read(text)
