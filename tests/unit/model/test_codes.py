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


@pytest.mark.parametrize(
    ("agencies", "part", "covered"),
    [
        (("H11.12",), "H11.12", True),
        (("H11.12",), "000.00.12.H11", True),
        (("000.00.12.H11",), "H11.12", True),
        (("H11",), "H11.12", True),
        (("000.00.00.H11",), "000.17.12.H11", True),
        (("H11.12",), "H11.12.7", True),
        (("H11.12",), "H11.120", False),  # a prefix of groups, not of letters
        (("H11.1",), "H11.12", False),
        (("H11.12",), "H11", False),
        (("H11.12", "H48"), "000.00.53.H48", True),
        (("001.00.12.H11",), "H11.12.00.001", True),  # a zero group between two others is a place of its own
        (("H11.12.00.001",), "001.00.12.H11", True),
        (("001.00.12.H11",), "H11.12.001", False),
        (("H11.12",), "001.00.12.H11", True),
        ((" h11.12 ",), "H11.12", True),
        (("0106001236",), "0106001236", True),
        ((), "H11.12", False),
        (("*",), "H11.12", False),
        (("h11 12",), "H11.12", False),
        (("h11 12", "H11"), "H11.12", True),
        (("H11",), "Phan Thiết", False),
        (("",), "", False),
    ],
)
def test_an_agency_covers_itself_and_its_parts(agencies, part, covered):
    assert codes.covers(agencies, part) is covered


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


_old = _groups.map(lambda g: f"{g[0]:03}.{g[1]:02}.{g[2]:02}.{g[3]}{g[4]:02}")
_new = st.tuples(
    st.sampled_from(["H11", "H12", "G09"]), st.lists(st.sampled_from(["0", "1", "12", "00", "001", "A"]), max_size=4)
).map(lambda parts: ".".join([parts[0], *parts[1]]))
_any = st.one_of(_old, _new)


@given(_any)
def test_covering_is_reflexive(code):
    assert codes.covers((code,), code)


@given(_old)
def test_both_written_forms_are_one_agency(old):
    """By the rule of the notes (2.1), written out: split on '.', reverse, drop the groups of zeros at the end."""
    third, second, first, province = old.split(".")
    deep = [province, first, second, third]
    while deep[-1] in ("00", "000"):
        deep.pop()
    new = ".".join(deep)
    assert codes.covers((old,), new)
    assert codes.covers((new,), old)


@given(_any, _any)
def test_two_codes_that_cover_each_other_are_one_agency(one, other):
    both = codes.covers((one,), other) and codes.covers((other,), one)
    assert both == (codes.agency(one).normal == codes.agency(other).normal)


@given(_new, st.lists(st.sampled_from(["0", "1", "12", "00", "001", "A"]), min_size=1, max_size=3), st.data())
def test_a_parent_covers_its_children_and_no_child_its_parent(parent, below, data):
    child = ".".join([parent, *below])
    assert codes.covers((parent,), child)
    assert not codes.covers((child,), parent)
    grandchild = f"{child}.{data.draw(st.sampled_from(['1', '00', 'B']))}"
    assert codes.covers((parent,), grandchild)


@given(st.sampled_from("GH"), st.integers(1, 99), st.integers(1, 99), st.integers(1, 999))
def test_a_parent_in_the_old_form_covers_its_children_in_the_old_form(letter, first, second, third):
    chain = [f"000.00.00.{letter}11", f"000.00.{first:02}.{letter}11", f"000.{second:02}.{first:02}.{letter}11",
             f"{third:03}.{second:02}.{first:02}.{letter}11"]  # fmt: skip
    for place, parent in enumerate(chain):
        for other, child in enumerate(chain):
            assert codes.covers((parent,), child) is (place <= other), (parent, child)


_family = st.lists(st.sampled_from(["1", "12", "00", "A"]), max_size=2).map(lambda parts: ".".join(["H11", *parts]))


@given(_family, _family, _family)
def test_covering_is_transitive(one, two, three):
    steps = codes.covers((one,), two), codes.covers((two,), three)
    assert codes.covers((one,), three) or not all(steps)


@given(st.lists(_any, max_size=4), _any)
def test_several_agencies_cover_what_one_of_them_covers(agencies, part):
    assert codes.covers(agencies, part) == any(codes.covers((own,), part) for own in agencies)


@given(st.text(max_size=45), _any)
def test_text_that_is_no_code_covers_nothing_and_is_part_of_nothing(text, code):
    try:
        codes.agency(text)
    except BadRecord:
        assert not codes.covers((text,), code)
        assert not codes.covers((code,), text)
        assert not codes.covers((text,), text)
    else:
        assert codes.covers((text,), text)


@given(st.text(max_size=45))
def test_any_text_is_accepted_or_a_bad_record(text):
    for read in (codes.agency, codes.dossier, codes.procedure, codes.service):
        with contextlib.suppress(BadRecord):
            read(text)
