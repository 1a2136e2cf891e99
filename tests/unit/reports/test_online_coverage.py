"""Coverage figures against a table worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer.testing

from hub.avro.document import document
from hub.avro.records import OnlineService, Procedure
from hub.cli import catalogue as command
from hub.config import Settings
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub.reports.online_coverage import read, table

MARCH, MAY = 1_772_323_200_000, 1_777_593_600_000  # 1 March, 1 May 2026, 00:00 UTC


def procedure(code: str, active: bool = True) -> Procedure:
    return Procedure(procedure_code=code, hub_seq=1, active=active, changed_at=MARCH, name=f"Thủ tục {code}")


def service(
    code: str, level: int | None, whole: bool | None, since: int, *portals: str, active: bool = True, **more: Any
) -> OnlineService:
    facts = {"active_since": since, "level": level, "whole_process": whole, "channels": portals}
    return OnlineService(service_code=code, hub_seq=1, active=active, changed_at=MARCH, **facts, **more)


# code      public  services                          filed  online
# 1.000001  yes     .01 level 4 toàn trình, both        10      8
# 1.000002  yes     .01 level 3 một phần, national      20      5   (.02 level 4, withdrawn)
# 1.000003  yes     .01 level 2: informs only            4      0
# 1.000004  yes     none                                 6      0
# 1.000005  no      .01 level 4: stray                   0      0
# 1.000006  never published, .01 untold                  -      -
# 1.000007  never published, no service                  2      1
# 1.000008  only amended: the hub met it midway, public  0      0
PROCEDURES = [procedure(f"1.00000{n}", n != 5) for n in (1, 2, 3, 4, 5, 8)]
SERVICES = [
    service("1.000001.01", 4, True, MAY, "national-portal"),
    service("1.000001.02", 3, None, MARCH, "provincial-portal"),
    service("1.000002.01", 3, False, MARCH, "national-portal"),
    service("1.000002.02", 4, True, MARCH, "national-portal", active=False),
    service("1.000003.01", 2, None, MARCH, "provincial-portal"),
    service("1.000005.01", 4, True, MARCH, "national-portal"),
    service("X", None, None, MAY, procedure_code="1.000006"),
]
USE = {"1.000001": (10, 8), "1.000002": (20, 5), "1.000003": (4, 0), "1.000004": (6, 0), "1.000007": (2, 1)}


def check(found: Any) -> None:
    # Public: 1 to 4 and 8. Of them 1 and 2 are offered; 6 is offered too, but nobody published it.
    assert (found.procedures, found.offered, found.share_offered) == (5, 2, 0.4)
    assert found.by_level == {"3": 1, "4": 1}
    assert found.by_kind == {"toàn trình": 1, "một phần": 1}
    assert found.by_portal == {"national-portal": 2, "provincial-portal": 1}
    assert found.stray == ("1.000005.01",)
    assert found.unpublished == ("1.000006", "1.000007")
    assert [(line.code, line.published) for line in found.lines if not line.active] == [
        ("1.000005", True), ("1.000006", False), ("1.000007", False)
    ]  # fmt: skip
    assert (found.dossiers, found.online) == (42, 14)
    assert found.share_online == pytest.approx(1 / 3)
    first, second, third = found.lines[:3]
    assert (first.level, first.kind, first.since) == (4, "toàn trình", MARCH)
    assert first.portals == ("national-portal", "provincial-portal")
    assert (second.level, second.kind, second.services) == (3, "một phần", ("1.000002.01",))
    assert (third.offered, third.level, third.kind, third.services) == (False, None, "", ("1.000003.01",))


def test_the_table_worked_out_by_hand() -> None:
    check(table(PROCEDURES, SERVICES, USE))


def test_of_nothing_there_is_no_share() -> None:
    found = table([], [], {})
    assert (found.procedures, found.share_offered, found.share_online) == (0, None, None)


def fill(settings: Settings) -> None:
    engine = open_engine(settings)
    g = tables.current(engine)

    def row(key: str, family: str, state: dict[str, Any]) -> dict[str, Any]:
        code = state.get("procedure_code")
        return {"key": key, "family": family, "hub_seq": 1, "status": "x", "procedure_code": code, "state": state}

    rows = [row(p.procedure_code, "procedure", document(p)) for p in PROCEDURES]
    rows += [row(s.service_code, "service", document(s)) for s in SERVICES]
    for code, (total, online) in USE.items():
        for n in range(total):
            channel = "ONLINE" if n < online else ("DIRECT", None)[n % 2]
            rows.append(row(f"H11-260105-{code}-{n}", "dossier", {"procedure_code": code, "channel": channel}))
    rows.append(row("H11-260105-9999", "dossier", {"procedure_code": None, "channel": "ONLINE"}))
    with engine.begin() as connection:
        connection.execute(g.dossiers.insert(), rows)
    check(read(engine))
    engine.dispose()


def test_from_the_read_model_and_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path)
    fill(settings)
    monkeypatch.setattr("hub.cli.catalogue.config.load", lambda: settings)
    runner = typer.testing.CliRunner(env={"COLUMNS": "200"})
    told = json.loads(runner.invoke(command.app, ["coverage", "--json"]).stdout)
    assert (told["offered"], len(told["lines"])) == (2, 8)
    shown = runner.invoke(command.app, ["coverage", "--lines"]).stdout
    assert "2 (40.0%)" in shown
    assert "14 (33.3%)" in shown
    assert "Thủ tục 1.000005 (withdrawn)" in shown
    assert "(never published)" in shown
