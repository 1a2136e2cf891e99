"""The read model's tables and queries, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, func, select

from hub.avro.document import document
from hub.config import ReadModelSettings, Settings
from hub.deadletter import record as deadletter
from hub.errors import BadRecord, ConfigError, DecodeError
from hub.kafka import topics
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from hub.readmodel.state import dossier_of
from tests.support.events import T0, delivery, dossier_event
from tests.support.readmodel import CODE, CODEC, Rec, project


def event(offset: int, seq: int, **more: Any) -> Rec:
    key, value, headers = dossier_event(CODEC, CODE, seq, **more)
    return Rec(topics.EVENTS, 0, offset, key, value, headers)


def test_one_dossier_with_every_event_and_every_attempt(engine: Engine) -> None:
    letter = deadletter.build(
        stage="core",
        error=BadRecord("transition", "RECEIVED after RETURNED"),
        topic=topics.INGRESS,
        partition=2,
        offset=77,
        key=CODE.encode(),
        value=b"\x00bytes",
        headers=[("ce_id", b"bad-1"), ("ce_source", b"urn:vn:gov:H11.12:test")],
    )
    project(
        engine,
        [
            event(0, 1, step="RECEIVED", status="ACCEPTED", procedure_code="1.004194", due_at=T0 + 5),
            event(1, 2, note="Đã thẩm định", procedure_code="1.004194", due_at=T0 + 5),
            Rec(
                topics.DELIVERIES,
                0,
                0,
                b"",
                delivery(CODEC, CODE, "national", [1], "RETRY_SCHEDULED", error_kind="timeout"),
            ),
            Rec(topics.DELIVERIES, 0, 1, b"", delivery(CODEC, CODE, "national", [1, 2], at=T0 + 1_000_500, attempt=2)),
            Rec(topics.DEAD_LETTERS, 0, 0, letter[1], letter[2], letter[3]),
        ],
    )
    found = ReadModel(engine).subject(CODE)
    assert found is not None
    assert (found["status"], found["hub_seq"], found["procedure_code"]) == ("IN_PROCESS", 2, "1.004194")
    assert [(e["hub_seq"], e["step"], e["note"]) for e in found["events"]] == [
        (1, "RECEIVED", None),
        (2, "IN_PROCESS", "Đã thẩm định"),
    ]
    assert found["events"][0]["accepted_at"] == 1_700_000_000_000
    assert [(d["outcome"], d["hub_seqs"], d["attempt"]) for d in found["deliveries"]] == [
        ("RETRY_SCHEDULED", [1], 1),
        ("DELIVERED", [1, 2], 2),
    ]
    assert [(d["reason"], d["origin"], d["event_id"]) for d in found["dead_letters"]] == [
        ("transition", "hub.ingress/2/77", "bad-1")
    ]
    assert ReadModel(engine).subject("000.00.12.H11-231114-9999") is None


def test_an_older_state_never_overwrites_a_newer_one(engine: Engine) -> None:
    project(engine, [event(5, 6, status="FINISHED", step="FINISHED")])
    project(engine, [event(1, 2)])  # a repetition after a crash
    found = ReadModel(engine).subject(CODE)
    assert found is not None
    assert (found["status"], found["hub_seq"], len(found["events"])) == ("FINISHED", 6, 2)


def test_repeating_a_batch_changes_nothing_and_the_offset_is_in_the_same_transaction(engine: Engine) -> None:
    batch = [event(0, 1), event(1, 2), Rec(topics.DELIVERIES, 3, 9, b"", delivery(CODEC, CODE, "national", [1]))]
    for _ in range(2):
        project(engine, batch)
    g = tables.current(engine)
    with engine.connect() as connection:
        for table, count in ((g.events, 2), (g.deliveries, 1), (g.dossiers, 1)):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == count
        offsets = {(r.topic, r.partition): r.next_offset for r in connection.execute(select(g.offsets))}
    assert offsets == {(topics.EVENTS, 0): 2, (topics.DELIVERIES, 3): 10}


def test_a_record_that_cannot_be_read_is_left_out_and_the_rest_goes_on(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    broken = event(0, 1)
    broken.value = broken.value[:9] if broken.value else b""
    project(engine, [broken, event(1, 2)])
    found = ReadModel(engine).subject(CODE)
    assert found is not None
    assert [e["hub_seq"] for e in found["events"]] == [2]
    assert "hub.events/0/0" in caplog.text


def test_figures_of_the_overview(engine: Engine) -> None:
    records = [event(0, 1, due_at=T0)]
    for number, (status, due) in enumerate([("RETURNED", T0), ("IN_PROCESS", T0 + 10**9), ("SUPPLEMENT", T0)], start=2):
        key, value, headers = dossier_event(CODEC, f"000.00.12.H11-231114-{number:04}", 1, status=status, due_at=due)
        records.append(Rec(topics.EVENTS, 1, number, key, value, headers))
    retry = delivery(CODEC, CODE, "provincial", [1], "RETRY_SCHEDULED", at=T0 + 8, error_kind="busy")
    records += [
        Rec(topics.DELIVERIES, 0, 0, b"", delivery(CODEC, CODE, "national", [1], at=T0 + 7)),
        Rec(topics.DELIVERIES, 0, 1, b"", retry),
        Rec(topics.DISCREPANCIES, 0, 0, b"national/x", orjson.dumps(
            {"key": CODE, "subscriber": "national", "kind": "MISSING", "opened_at": T0, "detail": "no receipt"})),
    ]  # fmt: skip
    project(engine, records)
    model = ReadModel(engine)
    totals = model.totals(T0 + 1_000)
    assert (totals["dossiers"], totals["events"], totals["late_dossiers"]) == (4, 4, 2)
    assert totals["by_status"] == {"IN_PROCESS": 2, "RETURNED": 1, "SUPPLEMENT": 1}
    assert totals["discrepancies"] == [{"subscriber": "national", "kind": "MISSING", "n": 1}]
    connections = {c["subscriber"]: c for c in model.connections()}
    assert connections["national"]["last_success"] == T0 + 7
    assert connections["provincial"]["last_success"] is None
    assert (connections["provincial"]["last_error"], connections["provincial"]["last_error_kind"]) == (T0 + 8, "busy")
    project(engine, [Rec(topics.DISCREPANCIES, 0, 1, b"national/x", None)])
    assert model.totals(T0)["discrepancies"] == []


@pytest.mark.parametrize("text", [CODE, "231114-0001", f"cause-{CODE}-1"])
def test_search_by_code_part_of_a_code_or_event_id(engine: Engine, text: str) -> None:
    project(engine, [event(0, 1)])
    assert [r["key"] for r in ReadModel(engine).search(text)] == [CODE]


def test_search_takes_percent_and_underscore_as_they_stand(engine: Engine) -> None:
    project(engine, [event(0, 1)])
    assert ReadModel(engine).search("%") == []
    assert ReadModel(engine).search("231114_0001") == []


def test_readers_follow_a_swap(engine: Engine) -> None:
    project(engine, [event(0, 1)])
    old = tables.current(engine)
    new = tables.generation(old.number + 1)
    new.create(engine)
    tables.swap(engine, new.number)
    assert ReadModel(engine).subject(CODE) is None
    project(engine, [event(0, 1), event(1, 2)])
    assert len((ReadModel(engine).subject(CODE) or {})["events"]) == 2
    old.drop(engine)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "oracle://h"])
def test_another_database_is_refused_by_the_setting_s_name(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"readmodel\.url"):
        open_engine(Settings(data_dir=tmp_path, readmodel=ReadModelSettings(url=url)))


def test_any_order_of_delivery_gives_the_same_tables(tmp_path: Path) -> None:
    """Partitions are read in any interleaving: the outcome must not depend on it."""
    records = [event(0, 1), event(1, 2), event(2, 3, status="FINISHED", step="FINISHED")]
    outcomes = set()
    for number, order in enumerate(itertools.permutations(records)):
        engine = open_engine(Settings(data_dir=tmp_path / str(number)))
        for one in order:
            project(engine, [one])
        found = ReadModel(engine).subject(CODE)
        assert found is not None
        outcomes.add((found["status"], found["hub_seq"], len(found["events"])))
        engine.dispose()
    assert outcomes == {("FINISHED", 3, 3)}


def test_the_state_of_a_dossier_comes_back_as_the_record_that_was_read(engine: Engine) -> None:
    project(engine, [event(0, 1, step="RECEIVED", status="ACCEPTED", procedure_code="1.004194", due_at=T0 + 5)])
    found = dossier_of(engine, CODE)
    assert found is not None
    assert (found.dossier_code, found.hub_seq, found.status) == (CODE, 1, "ACCEPTED")
    assert (found.procedure_code, found.due_at, found.attachments) == ("1.004194", T0 + 5, ())
    whole = ReadModel(engine).subject(CODE)
    assert whole is not None
    assert whole["state"] == document(found)
    assert dossier_of(engine, "000.00.12.H11-231114-9999") is None


def test_a_state_of_a_version_that_cannot_be_read_is_a_decode_error(engine: Engine) -> None:
    project(engine, [event(0, 1)])
    d = tables.current(engine).dossiers
    with engine.begin() as connection:
        state = connection.execute(select(d.c.state)).scalar_one()
        connection.execute(d.update().values(state=state | {"status": "A_WORD_OF_LATER"}))
    with pytest.raises(DecodeError) as caught:
        dossier_of(engine, CODE)
    assert caught.value.field == "status"
