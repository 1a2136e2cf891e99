"""Offices over time, against what docs/field says of the merger and of levels; codes in both forms."""

from __future__ import annotations

from datetime import date

import pytest

from hub.errors import BadRecord, ConfigError
from hub.model import agencies, codes

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)

# By hand: code as written, who answers on the last day before the merger, who on the first day after it.
ANSWERS = [
    ("H11", "UBND tỉnh Bình Thuận", "UBND tỉnh Lâm Đồng"),
    ("000.00.00.H11", "UBND tỉnh Bình Thuận", "UBND tỉnh Lâm Đồng"),
    ("000.00.00.H36", "UBND tỉnh Lâm Đồng", "UBND tỉnh Lâm Đồng"),
    ("000.00.12.H11", "UBND thành phố Phan Thiết", "UBND phường Phan Thiết"),
    ("H11.12", "UBND thành phố Phan Thiết", "UBND phường Phan Thiết"),
    ("H11.13", "UBND thị xã La Gi", "UBND phường La Gi"),
    ("H11.14", "UBND huyện Bắc Bình", "UBND xã Bắc Bình"),
    ("H11.15", "UBND huyện Đức Linh", "UBND xã Đức Linh"),
    ("H11.16", "UBND huyện Hàm Tân", "UBND xã Tân Minh"),
    ("H11.17", "UBND huyện Tuy Phong", "UBND xã Liên Hương"),
    ("H11.18", "UBND huyện Hàm Thuận Bắc", "UBND xã Hàm Thuận"),
    ("H11.19", "UBND huyện Hàm Thuận Nam", "UBND xã Hàm Thuận Nam"),
    ("H11.21", "UBND huyện Tánh Linh", "UBND xã Tánh Linh"),
    ("000.00.22.H11", "UBND huyện Phú Quý", "UBND đặc khu Phú Quý"),
    ("H11.20", "Sở Xây dựng tỉnh Bình Thuận", "Sở Xây dựng tỉnh Lâm Đồng"),
]


@pytest.mark.parametrize(("code", "before", "after"), ANSWERS)
def test_who_answers_before_and_after_the_merger(code, before, after):
    assert agencies.office(code, BEFORE).name == before
    assert agencies.office(code, AFTER).name == after
    assert agencies.office(code, date(2026, 11, 24)).name == after


def test_an_old_dossier_keeps_its_code_and_finds_its_present_office():
    dossier = codes.dossier("000.00.12.H11-231027-0361")
    assert dossier.text == "000.00.12.H11-231027-0361"
    assert agencies.office(dossier.agency, dossier.day).code == "H11.12"
    present = agencies.office(dossier.agency, date(2026, 11, 24))
    assert (present.kind, present.parent) == ("commune", "H36")


def test_the_numbers_of_the_sources():
    """Ten districts to 45 communal units, of which one special zone (docs/field/codes.md#merger-of-2025, A-)."""
    table = agencies.table()
    assert sum(o.kind == "district" for o in table) == 10
    assert sum(o.kind in ("commune", "special_zone") for o in table) == 45
    assert [o.name for o in table if o.kind == "special_zone"] == ["UBND đặc khu Phú Quý"]
    assert all(o.valid_to == BEFORE for o in table if o.kind == "district")
    assert all(o.valid_from == AFTER for o in table if o.kind in ("commune", "special_zone"))


def test_each_commune_came_from_one_district_and_both_know_it():
    table = agencies.table()
    for office in table:
        for successor in table.successors(office.code):
            assert office in table.predecessors(successor.code)
        if office.kind == "commune":
            assert len(table.predecessors(office.code)) == 1
    assert [o.code for o in agencies.successors("000.00.13.H11")] == ["H36.108", "H36.109", "H36.110"]
    assert agencies.successors("H36.108") == ()


def test_what_is_not_official_says_so():
    """No public source gives a code of these offices: none may pass as official."""
    assert not [office.code for office in agencies.table() if office.official]
    assert agencies.Office("H22", "UBND tỉnh Hà Giang", "province", "A-", "B").official


def test_a_code_before_its_time_and_one_that_nobody_knows():
    with pytest.raises(BadRecord, match=r"H36\.101 exists since 2025-07-01"):
        agencies.office("H36.101", BEFORE)
    with pytest.raises(BadRecord, match=r"H99\.01 is not in the table") as caught:
        agencies.office("000.00.01.H99", AFTER)
    assert caught.value.reason == "code"
    assert agencies.table().get("H99.01") is None


ROW = '[[office]]\ncode="H1{n}"\nname="X"\nkind="province"\nevidence="ours"\ncode_evidence="ours"\n'


def test_an_office_without_successor_and_a_chain_of_two():
    ended = ROW.format(n=1) + "valid_to=2024-12-31\n"
    with pytest.raises(BadRecord, match="has no successor"):
        agencies.read(ended).office("H11", AFTER)
    chain = ended + 'successors=["000.00.00.H12"]\n' + ROW.format(n=2) + "valid_to=2025-12-31\n"
    chain += 'successors=["H13"]\n' + ROW.format(n=3)
    table = agencies.read(chain)
    assert [table.office("H11", date(year, 6, 1)).code for year in (2024, 2025, 2026)] == ["H11", "H12", "H13"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no"),
        ("office = [", "is no TOML"),
        ('[[office]]\ncode="H11"\n', "lacks name, kind"),
        (ROW.format(n=1) + 'colour="red"\n', "unknown fields colour"),
        (ROW.format(n=1) + ROW.format(n=1), "stands twice"),
        (ROW.format(n=1) + 'successors=["H12"]\nvalid_to=2025-01-01\n', "successor H12 is not in the table"),
        (ROW.format(n=1) + 'successors=["H12"]\n' + ROW.format(n=2), "no valid_to"),
        (ROW.format(n=1) + 'parent="H12"\n', "parent H12"),
        (ROW.format(n=1) + "valid_from=2025-02-01\nvalid_to=2025-01-01\n", "after valid_to"),
        (ROW.format(n=1) + 'valid_from="2025-02-01"\n', "must be days"),
        (ROW.format(n="x"), "must be an agency code"),
        (ROW.format(n=1).replace("province", "realm"), "kind must be"),
        (ROW.format(n=1) + 'successors=["H12"]\nvalid_to=2025-01-01\n' + ROW.format(n=2) + "valid_from=2025-03-01\n",
         "not in force the day after"),
    ],
)  # fmt: skip
def test_a_table_that_is_wrong_is_refused(text, says):
    with pytest.raises(ConfigError, match=says):
        agencies.read(text)


def test_the_province_s_own_file(tmp_path):
    own = tmp_path / "agencies.toml"
    own.write_text(ROW.format(n=1).replace('"X"', '"Tỉnh khác"'), "utf-8")
    assert agencies.table(own).office("H11", AFTER).name == "Tỉnh khác"
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        agencies.table(tmp_path / "missing.toml")


# docs/field/codes.md: every code seen there, in the form written, with its other form worked out by hand.
SEEN = [
    ("H01", "000.00.00.H01"), ("H18", "000.00.00.H18"), ("H22", "000.00.00.H22"), ("H29", "000.00.00.H29"),
    ("H30", "000.00.00.H30"), ("H37", "000.00.00.H37"), ("H38", "000.00.00.H38"), ("H41", "000.00.00.H41"),
    ("H48", "000.00.00.H48"), ("H49", "000.00.00.H49"), ("H55", "000.00.00.H55"), ("H56", "000.00.00.H56"),
    ("G22", "000.00.00.G22"), ("H11", "000.00.00.H11"), ("H10", "000.00.00.H10"), ("H12", "000.00.00.H12"),
    ("H36", "000.00.00.H36"), ("H11.12", "000.00.12.H11"), ("H56.06", "000.00.06.H56"), ("H48.53", "000.00.53.H48"),
    ("H56.22.17", "000.17.22.H56"), ("H56.14", "000.00.14.H56"), ("G09.20", "000.00.20.G09"),
]  # fmt: skip


@pytest.mark.parametrize(("new", "old"), SEEN)
def test_both_forms_of_every_code_in_the_notes(new, old):
    assert codes.agency(old).normal == codes.agency(new).normal == new
    assert codes.old_form(new) == old
