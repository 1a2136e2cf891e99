"""The sample data as events: complete, lawful, and read back from every agency's file as it was written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.avro.records import Applicant, DossierStep, Handler
from hub.config import Settings
from hub.connect.samples import Agency
from hub.connect.source import Incoming, Refused
from hub.demo.bad_records import EACH, KINDS, MARKER, plant
from hub.demo.sample_input import agencies, nested, steps
from hub.model import codes
from hub.model.step_history import History, order_key
from hub_connectors.filedrop.open_table import open_table
from hub_connectors.filedrop.rows import Converter
from hub_connectors.filedrop.sample.writer import quarters, render, set_up_folder

STEPS = steps()
FILE_AGENCIES = [a for a in agencies() if a.carrier == "file"]


def test_every_row_of_the_sample_is_one_step() -> None:
    # The figures of the published log.
    assert len(STEPS) == len({s.task for s in STEPS}) == 8577
    assert len({s.case for s in STEPS}) == len({s.code for s in STEPS}) == 1434
    assert Counter(s.fields["step"] for s in STEPS) == {
        "RECEIVED": 1434,
        "IN_PROCESS": 8577 - 1434 - 20 - 18 - 39,
        "SUPPLEMENT_REQUESTED": 20,
        "TRANSFERRED": 18,
        "RETURNED": 39,
    }


def test_a_third_of_the_dossiers_comes_by_http_and_all_carriers_are_used() -> None:
    carrier = {s.code: s.agency.carrier for s in STEPS}
    assert Counter(carrier.values())["http"] == 478
    assert set(carrier.values()) == {"http", "file", "kafka"}


def test_every_code_is_well_formed_and_its_agency_is_the_sender() -> None:
    for step in {s.code: s for s in STEPS}.values():
        assert codes.dossier(step.code).agency == step.agency.code
        codes.procedure(step.fields["procedure_code"])


def test_every_step_is_lawful_in_its_order_of_arrival() -> None:
    histories: dict[str, History] = defaultdict(History)
    for number, step in enumerate(STEPS):
        key = order_key(step.at, step.fields["step"], False, number)
        histories[step.code] = histories[step.code].add(key, 16).history


def record(fields: Mapping[str, Any]) -> DossierStep:
    """The step as a record, made by the constructors: they refuse a name that is none."""
    parts = {"applicant": Applicant, "handler": Handler}
    return DossierStep(**{name: parts[name](**v) if name in parts else v for name, v in nested(fields).items()})


@pytest.mark.parametrize("agency", FILE_AGENCIES, ids=lambda a: a.name)
def test_files_are_read_back_as_they_were_written(agency: Agency, tmp_path: Path) -> None:
    mapping, _ = set_up_folder(agency, Settings(data_dir=tmp_path))
    parts = quarters([s for s in STEPS if s.agency == agency])
    assert all(parts.values())
    assert parts
    for name, part in parts.items():
        path = tmp_path / name
        path.write_bytes(render(mapping, [dict(s.fields) | {"word": s.word} for s in part], agency.title))
        table = open_table(path.rename(path.with_suffix(f".{mapping.file.format}")), mapping.file)
        try:
            convert = Converter(mapping, table.columns, name).convert
            found = [convert(row) for row in table.rows(table.first)]
        finally:
            table.close()
        assert [f.data if isinstance(f, Incoming) else f for f in found] == [record(s.fields) for s in part]


def test_the_encodings_are_the_ones_that_agencies_use(tmp_path: Path) -> None:
    found = {
        (m.file.format, m.file.encoding)
        for m, _ in (set_up_folder(a, Settings(data_dir=tmp_path)) for a in FILE_AGENCIES)
    }
    assert found == {("csv", "tcvn3"), ("csv", "windows-1258"), ("csv", "vni"), ("csv", "utf-8"), ("xlsx", "utf-8")}


def test_forty_bad_records_of_ten_kinds() -> None:
    planted = plant(STEPS)
    assert Counter(p.kind for p in planted) == dict.fromkeys(KINDS, EACH)
    assert len(KINDS) == 10
    assert len({p.marker for p in planted}) == 40
    for kind in KINDS:
        assert len({p.step.code for p in planted if p.kind == kind}) == EACH
    assert {p.step.agency.name for p in planted if KINDS[p.kind][0] == "file"} == {a.name for a in FILE_AGENCIES}


@pytest.mark.parametrize("kind", ["date", "word", "code"])
def test_bad_rows_are_refused_with_their_marker(kind: str, tmp_path: Path) -> None:
    planted = [p for p in plant(STEPS) if p.kind == kind]
    assert len(planted) == EACH
    for bad in planted:
        mapping, _ = set_up_folder(bad.step.agency, Settings(data_dir=tmp_path))
        path = tmp_path / f"x.{mapping.file.format}"
        path.write_bytes(render(mapping, [bad.fields], "x"))
        table = open_table(path, mapping.file)
        try:
            (refused,) = map(Converter(mapping, table.columns, "x").convert, table.rows(table.first))
        finally:
            table.close()
        assert isinstance(refused, Refused)
        assert refused.reason == KINDS[kind][2]
        assert bad.marker.encode() in refused.original


def test_every_marker_is_found_again() -> None:
    planted = plant(STEPS)
    assert len(planted) == 40
    for bad in planted:
        found = MARKER.search(b"before " + bad.marker.encode() + b" after")
        assert found is not None
        assert found[0].decode() == bad.marker
