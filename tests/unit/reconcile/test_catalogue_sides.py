"""Who published what, folded from canonical events: the reference and the province stay apart although the core's state
holds the later of two statements."""

from __future__ import annotations

import json

import pytest
import typer.testing
from msgspec import structs
from msgspec.structs import replace

from hub.avro.records import Procedure
from hub.cli import catalogue as command
from hub.events import families
from hub.model.times import utc_text
from hub.reconcile.catalogue import Side, compare
from hub.reconcile.catalogue_sides import Sides
from hub.stream.stage import Out
from tests.support.core import CODEC, DAY, T0, Core, record, step

NATIONAL = "urn:vn:gov:dvcqg:catalogue"
CODE = "1.004227"


def change(kind: str, day: int, **facts: object) -> dict[str, object]:
    return {"procedure_code": CODE, "change": kind, "occurred_at": T0 + day * DAY, **facts}


def fold(outs: list[Out]) -> tuple[Side, Side]:
    sides = Sides(NATIONAL, CODEC)
    for out in outs:
        sides.take(out.headers, out.value)
    return sides.sides()


def test_the_two_sides_stay_apart() -> None:
    core = Core()
    core.run(
        record(
            change("PUBLISHED", 1, name="Đăng ký", time_limit=15.0, time_limit_unit="Ngày"),
            "a",
            families.PROCEDURE.published,
        ),
        record(
            change("PUBLISHED", 2, time_limit=10.0, time_limit_unit="Ngày"),
            "n",
            families.PROCEDURE.published,
            source=NATIONAL,
        ),
        record(step("RECEIVED", 0), "dossier"),
        record(
            {"service_code": f"{CODE}.01", "change": "PUBLISHED", "occurred_at": T0},
            "s",
            families.SERVICE.published,
            offset=3,
        ),
    )
    reference, own = fold(core.out)
    assert reference.procedures[CODE].time_limit == 10.0
    assert own.procedures[CODE].time_limit == 15.0
    assert list(own.services) == [f"{CODE}.01"]
    assert [(d.code, d.kind, d.reference, d.own) for d in compare(reference, own)] == [
        (CODE, "OTHER_TIME_LIMIT", "10 Ngày", "15 Ngày")
    ]


def test_folded_in_event_time_as_the_core_does() -> None:
    core = Core()
    core.run(record(change("WITHDRAWN", 5), "1", families.PROCEDURE.published))
    core.run(record(change("PUBLISHED", 1, name="Đăng ký", fee_vnd=5), "2", families.PROCEDURE.published, offset=1))
    _, own = fold(core.out)
    folded = own.procedures[CODE]
    assert folded == structs.replace(core.events[-1].procedure, hub_seq=0)
    assert (folded.active, folded.name, folded.active_since) == (False, "Đăng ký", T0 + 5 * DAY)
    assert utc_text(folded.changed_at).startswith("2026-01-10")


@pytest.mark.parametrize(("limit", "code"), [(10.0, 0), (12.0, 1)])
def test_the_command(monkeypatch: pytest.MonkeyPatch, limit: float, code: int) -> None:
    entry = Procedure(
        procedure_code=CODE, hub_seq=0, active=True, changed_at=T0, time_limit=10.0, time_limit_unit="Ngày"
    )
    sides = Side({CODE: entry}), Side({CODE: replace(entry, time_limit=limit)})

    async def read(_: object) -> tuple[Side, Side]:
        return sides

    monkeypatch.setattr(command, "_read", read)
    runner = typer.testing.CliRunner()
    told = runner.invoke(command.app, ["compare", "--json"])
    assert told.exit_code == code
    assert len(json.loads(told.stdout)["differences"]) == code
    shown = runner.invoke(command.app, ["compare"])
    assert shown.exit_code == code
    assert ("OTHER_TIME_LIMIT" in shown.stdout) == bool(code)


def test_without_a_reference_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(_: object) -> tuple[Side, Side]:
        return Side(), Side()

    monkeypatch.setattr(command, "_read", read)
    told = typer.testing.CliRunner().invoke(command.app, ["compare"])
    assert told.exit_code == 1
    assert "is source:national-catalogue set up?" in told.stdout
