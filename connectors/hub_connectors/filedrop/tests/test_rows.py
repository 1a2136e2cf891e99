"""Mapping, header, rows: from bytes of a file to events and refusals, without folders and without Kafka."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from hub.avro.bodies import DOSSIER
from hub.avro.record import as_told
from hub.config import DeadlineSettings, Settings
from hub.connect.source import Incoming, Refused
from hub.errors import BadRecord, ConfigError
from hub.kafka import topics
from hub_connectors.filedrop import source
from hub_connectors.filedrop.mapping import Mapping, load
from hub_connectors.filedrop.open_table import open_table
from hub_connectors.filedrop.rows import Converter
from hub_connectors.filedrop.watch import FileDrop
from hub_connectors.national_portal.mapping import WireMapping
from hub_connectors.national_portal.settings import NationalPortalSettings
from tests.support.core import CODEC, record
from tests.support.deadline_clock import Hub

MAPPING = """
source = "urn:vn:gov:H11.12:motcua"
agencies = ["H11.12"]
required = ["procedure_code"]
[file]
delimiter = ";"
skip_rows = 1
header_rows = 2
[dates]
forms = ["%d/%m/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%d-%m-%Y"]
[columns]
"Hồ sơ / Mã" = "dossier_code"
"Hồ sơ / Chủ" = "applicant.name"
"Bước" = "step"
"Lúc" = "occurred_at"
"TTHC" = "procedure_code"
[words.step]
"Tiếp nhận" = "RECEIVED"
[constants]
agency_code = "H11.12"
"""
HEAD = "UBND thành phố Phan Thiết;;;;\nHồ sơ;;Bước;Lúc;TTHC\nMã;Chủ;;;\n"
GOOD = "000.00.12.H11-111011-0001;Trần Thị Hòa;Tiếp nhận;11/10/2011 20:45:40;1.004194\n"


def mapping(text: str = MAPPING, tmp: Path | None = None) -> Mapping:
    assert tmp is not None
    (tmp / "mapping.toml").write_text(text, "utf-8")
    return load(tmp / "mapping.toml")


def convert(tmp: Path, content: bytes, text: str = MAPPING) -> list[Incoming | Refused]:
    path = tmp / "x.csv"
    path.write_bytes(content)
    form = mapping(text, tmp)
    table = open_table(path, form.file)
    try:
        converter = Converter(form, table.columns, "phan-thiet/x.csv")
        return [converter.convert(row) for row in table.rows(table.first)]
    finally:
        table.close()


def refusal(tmp: Path, row: str) -> Refused:
    (found,) = convert(tmp, (HEAD + row).encode())
    assert isinstance(found, Refused)
    return found


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_good_row(tmp_path: Path, bom: bytes) -> None:
    (event,) = convert(tmp_path, bom + (HEAD + GOOD).encode())
    assert isinstance(event, Incoming)
    # 20:45:40 in Vietnam (UTC+7) is 13:45:40 UTC.
    moment = int(dt.datetime(2011, 10, 11, 13, 45, 40, tzinfo=dt.UTC).timestamp() * 1000)
    assert as_told(event.data) == {
        "dossier_code": "000.00.12.H11-111011-0001",
        "applicant": {"name": "Trần Thị Hòa"},
        "step": "RECEIVED",
        "occurred_at": moment,
        "procedure_code": "1.004194",
        "agency_code": "H11.12",
    }
    assert event.envelope.subject == "000.00.12.H11-111011-0001"
    assert event.envelope.time == "2011-10-11T13:45:40.000Z"


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    text = 'source="s"\n[columns]\n"Mã"="dossier_code"\n"Lúc"="occurred_at"\n"Bước"="step"\n'
    row = "000.00.12.H11-111011-0001,11/10/2011,RECEIVED\n"
    (event,) = convert(tmp_path, b"\xef\xbb\xbf" + ("Mã,Lúc,Bước\n" + row).encode(), text)
    assert isinstance(event, Incoming)


def test_several_date_forms_in_one_column(tmp_path: Path) -> None:
    rows = [
        GOOD,
        GOOD.replace("11/10/2011 20:45:40", "2011-10-11T13:45:40+00:00"),
        GOOD.replace("11/10/2011 20:45:40", "12-10-2011"),
    ]
    found = convert(tmp_path, (HEAD + "".join(rows)).encode())
    times = [e.data.occurred_at for e in found if isinstance(e, Incoming)]
    assert times[0] == times[1]
    assert times[2] == int(dt.datetime(2011, 10, 11, 17, tzinfo=dt.UTC).timestamp() * 1000)


def test_the_same_row_has_the_same_id_and_a_corrected_row_another(tmp_path: Path) -> None:
    first, again, corrected = convert(tmp_path, (HEAD + GOOD + GOOD + GOOD.replace("Hòa", "Hoa")).encode())
    ids = [e.envelope.id for e in (first, again, corrected) if isinstance(e, Incoming)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("row", "reason", "words"),
    [
        (GOOD.replace("11/10/2011 20:45:40", "31/02/2011 08:00:00"), "date", ["'Lúc'", "31/02/2011"]),
        (GOOD.replace("Tiếp nhận", "Đã xem"), "status", ["'Bước'", "'Đã xem'"]),
        (GOOD.replace("1.004194", " "), "missing_field", ["'TTHC'", "procedure_code"]),
        (GOOD.replace("000.00.12.H11-111011-0001", ""), "missing_field", ["'Hồ sơ / Mã'"]),
        (GOOD.replace("12.H11", "13.H11"), "right", ["H11.12", "H11.13"]),
        (GOOD.replace("-111011-", "/111011/"), "code", ["dossier_code", "000.00.12.H11/111011/0001"]),
        (GOOD.rstrip() + ";thừa\n", "row", ["6 cells", "5"]),
    ],
)
def test_a_refusal_names_column_rule_and_value(tmp_path: Path, row: str, reason: str, words: list[str]) -> None:
    found = refusal(tmp_path, row)
    assert found.reason == reason
    assert all(word in found.detail for word in words), found.detail
    assert found.original == row.encode()
    assert found.where.startswith("phan-thiet/x.csv:4#")


def test_a_bad_row_does_not_spoil_its_neighbours(tmp_path: Path) -> None:
    rows = [
        GOOD.encode(),
        b"000.00.12.H11-111011-0002;Tr\xffn;x;y;z\n",
        GOOD.encode(),
        b'000;"never closed;;;\n',
        GOOD.encode(),
    ]
    found = convert(tmp_path, HEAD.encode() + b"".join(rows))
    assert [f.reason if isinstance(f, Refused) else "" for f in found] == ["", "encoding", "", "row", ""]
    assert [f.where.rpartition(":")[2][0] for f in found if isinstance(f, Refused)] == ["5", "7"]


def test_quoted_cells_hold_delimiters_lines_and_quotes(tmp_path: Path) -> None:
    name = 'Quán "Bà; Tư"\ncơ sở "hai";\nba'
    row = GOOD.replace("Trần Thị Hòa", '"' + name.replace('"', '""') + '"')
    found = convert(tmp_path, (HEAD + row + "\n;;;;\n" + GOOD).encode())
    assert [f.data.applicant.name for f in found if isinstance(f, Incoming)] == [name, "Trần Thị Hòa"]


def test_a_personal_value_is_not_quoted(tmp_path: Path) -> None:
    text = MAPPING.replace('"applicant.name"', '"applicant.kind"')
    (found,) = convert(tmp_path, (HEAD + GOOD).encode(), text)
    assert isinstance(found, Refused)
    assert "Trần" not in found.detail


@pytest.mark.parametrize(
    ("content", "reason", "word"),
    [
        ((HEAD + GOOD).encode("utf-16"), "encoding", "UTF-16"),
        ((HEAD.replace("Bước", "Step") + GOOD).encode(), "missing_field", "'Bước'"),
        (b"only a title\n", "missing_field", "header"),
        (HEAD.encode("cp1258", "replace").replace(b"?", b"\xff") + GOOD.encode(), "encoding", "header"),
    ],
)
def test_a_file_that_cannot_be_read_at_all(tmp_path: Path, content: bytes, reason: str, word: str) -> None:
    with pytest.raises(BadRecord, match=word) as caught:
        convert(tmp_path, content)
    assert caught.value.reason == reason


def test_a_folder_s_agencies_are_read_in_either_form(tmp_path: Path) -> None:
    deep = MAPPING.replace('["H11.12"]', '["001.00.12.H11"]').replace('agency_code = "H11.12"', "")
    form = mapping(deep, tmp_path)
    assert form.agencies == ("H11.12.00.001",)
    for code, taken in (("H11.12.00.001-111011-0001", True), ("000.00.12.H11-111011-0001", False)):
        (found,) = convert(tmp_path, (HEAD + GOOD.replace("000.00.12.H11-111011-0001", code)).encode(), deep)
        assert isinstance(found, Incoming if taken else Refused), code


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('"Bước" = "step"', '"Bước" = "stepp"', "stepp"),
        ('"RECEIVED"', '"TAKEN"', "TAKEN"),
        ('"Lúc" = "occurred_at"', '"Lúc" = "due_at"', "occurred_at"),
        ('delimiter = ";"', 'delimiter = ";;"', "delimiter"),
        ("skip_rows = 1", "skip_row = 1", "skip_row"),
        ('["H11.12"]', '["Phan Thiết"]', "agencies"),
        ("[dates]", '[dates]\ntimezone = "Asia/Saigonn"', "Saigonn"),
    ],
)
def test_a_wrong_mapping_names_the_key(tmp_path: Path, old: str, new: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        mapping(MAPPING.replace(old, new), tmp_path)


def test_a_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Mã", "Lúc", "Bước"])
    sheet.append(["000.00.12.H11-111011-0001", dt.datetime(2011, 10, 11, 20, 45, 40), "RECEIVED"])
    sheet.append([None, None, None])
    sheet.append(["000.00.12.H11-111011-0002", "31/02/2011", "RECEIVED"])
    path = tmp_path / "x.xlsx"
    book.save(path)
    text = 'source="s"\n[file]\nformat="xlsx"\n[columns]\n"Mã"="dossier_code"\n"Lúc"="occurred_at"\n"Bước"="step"\n'
    form = mapping(text, tmp_path)
    table = open_table(path, form.file)
    try:
        converter = Converter(form, table.columns, "w")
        good, bad = (converter.convert(row) for row in table.rows(table.first))
    finally:
        table.close()
    assert isinstance(good, Incoming)
    assert good.envelope.time == "2011-10-11T13:45:40.000Z"
    assert isinstance(bad, Refused)
    assert (bad.reason, bad.where.partition("#")[0]) == ("date", "w:4")
    assert b"31/02/2011" in bad.original


def test_a_broken_sheet_is_refused_whole(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04 no zip")
    text = 'source="s"\n[file]\nformat="xlsx"\n[columns]\n"Mã"="dossier_code"\n"Lúc"="occurred_at"\n"Bước"="step"\n'
    with pytest.raises(BadRecord, match="XLSX"):
        open_table(tmp_path / "x.xlsx", mapping(text, tmp_path).file)


# --- a due date that is told by day ---------------------------------------------------------------------------------

# Friday 13 March 2026, local (UTC+7). Its 24:00 is Saturday 00:00 local, Friday 17:00 UTC; its last millisecond is what
# still bears the day's name. Its office hours end at 17:00 local, 10:00 UTC.
DAYS = MAPPING.replace('"%d-%m-%Y"', '"%d/%m/%Y", "%d.%m.%Y %H giờ"').replace(
    '"TTHC" = "procedure_code"',
    '"TTHC" = "procedure_code"\n"Hẹn" = "due_at"\n"Xong" = "step_due_at"\n"Nhận" = "received_at"',
)
DAYS_HEAD = "UBND thành phố Phan Thiết\nHồ sơ;;Bước;Lúc;TTHC;Hẹn;Xong;Nhận\nMã;Chủ;;;;;;\n"
FRIDAY = int(dt.datetime(2026, 3, 13, 17, tzinfo=dt.UTC).timestamp() * 1000)
LAST_MS = FRIDAY - 1
HOUR = 3_600_000


def by_day(tmp: Path, *cells: str, at: str = "09/03/2026 08:00:00") -> dict[str, object]:
    row = ";".join(["000.00.12.H11-260309-0001", "An", "Tiếp nhận", at, "1.004194", *cells])
    (event,) = convert(tmp, (DAYS_HEAD + row + "\n").encode(), DAYS)
    assert isinstance(event, Incoming), event
    return as_told(event.data)


def test_a_term_told_by_day_runs_to_the_end_of_that_day(tmp_path: Path) -> None:
    told = by_day(tmp_path, "13/03/2026", "13/03/2026")
    assert (told["due_at"], told["step_due_at"]) == (LAST_MS, LAST_MS)


def test_other_dates_told_by_day_begin_with_it(tmp_path: Path) -> None:
    told = by_day(tmp_path, "13/03/2026", "", "13/03/2026", at="13/03/2026")
    assert told["received_at"] == told["occurred_at"] == FRIDAY - 24 * HOUR


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        ("13/03/2026 00:00:00", 0),
        ("13/03/2026 10:00:00", 10),
        ("2026-03-13T10:00:00+07:00", 10),
        ("13.03.2026 9 giờ", 9),
    ],
)
def test_a_term_told_with_its_hour_is_taken_as_told(tmp_path: Path, cell: str, hour: int) -> None:
    assert by_day(tmp_path, cell)["due_at"] == FRIDAY - 24 * HOUR + hour * HOUR


def by_day_in_a_sheet(tmp: Path, cell: object, **deadlines: str) -> Incoming:
    """Through the source as the role opens it, with its settings."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Mã", "Lúc", "Bước", "Hẹn"])
    sheet.append(["H11.12-260309-0001", dt.datetime(2026, 3, 13), "RECEIVED", cell])
    path = tmp / "x.xlsx"
    book.save(path)
    text = 'source="s"\n[file]\nformat="xlsx"\n[columns]\n"Mã"="dossier_code"\n"Lúc"="occurred_at"\n'
    form = mapping(text + '"Bước"="step"\n"Hẹn"="due_at"\n', tmp)
    drop = source(Settings(data_dir=tmp, deadlines=DeadlineSettings(**deadlines)))
    assert isinstance(drop, FileDrop)
    table = open_table(path, form.file)
    try:
        (event,) = map(Converter(form, table.columns, "w", drop.day_end).convert, table.rows(table.first))
    finally:
        table.close()
    assert isinstance(event, Incoming), event
    assert event.data.occurred_at == FRIDAY - 24 * HOUR
    return event


@pytest.mark.parametrize("cell", [dt.datetime(2026, 3, 13), dt.date(2026, 3, 13), "13/03/2026"])
def test_a_date_cell_without_a_time_is_a_day(tmp_path: Path, cell: object) -> None:
    assert by_day_in_a_sheet(tmp_path, cell).data.due_at == LAST_MS


def test_a_date_cell_with_a_time_is_taken_as_told(tmp_path: Path) -> None:
    assert by_day_in_a_sheet(tmp_path, dt.datetime(2026, 3, 13, 0, 0, 1)).data.due_at == FRIDAY - 24 * HOUR + 1000


def test_a_province_may_choose_that_the_day_ends_with_the_office(tmp_path: Path) -> None:
    event = by_day_in_a_sheet(tmp_path, dt.datetime(2026, 3, 13), day_ends_at="17:00")
    assert event.data.due_at == FRIDAY - 7 * HOUR


@pytest.mark.parametrize("ends", ["00:00", "24:01", "25:00", "17", "5 pm"])
def test_a_day_s_end_that_is_none_is_refused(ends: str) -> None:
    with pytest.raises(ValueError, match="day_ends_at"):
        DeadlineSettings(day_ends_at=ends)


def test_a_dossier_due_by_day_is_not_late_on_that_day_and_the_portal_is_told_that_day(tmp_path: Path) -> None:
    """Finished Friday 13 at 10:00 local. Nothing of DUE before the day is over; the portal gets Friday 13."""
    told = by_day(tmp_path, "13/03/2026")
    finished = FRIDAY - 14 * HOUR
    hub = Hub()
    hub.run(record(told, "r"))
    assert [event["kind"] for event in hub.at(finished)] == ["WARNING"]  # Friday 7:00: one working day before its end
    hub.run(record(told | {"step": "FINISHED", "occurred_at": finished}, "f"))
    assert hub.at(FRIDAY + HOUR) == []
    dossier = CODEC.read(DOSSIER, hub.state[topics.DOSSIERS, b"000.00.12.H11-260309-0001"].value)
    assert dossier.due_at is not None
    assert finished <= dossier.due_at
    settings = NationalPortalSettings(adapter_url="http://portal", madonvi="000.00.00.H11", username="u")
    assert WireMapping(settings).dossier(dossier)["NgayHenTra"] == "20260313235959"
