"""Satisfaction of a month: summed up by hand, in the portal's words, from the read model by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.testing

from hub import config
from hub.cli import satisfaction as command
from hub.config import Settings
from hub.connect.portal import make_portal
from hub.connect.satisfaction import send, summed_up
from hub.control.records import Subscriber
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.tests.golden_script import ADDRESS, Script, given_session
from hub_connectors.national_portal.tests.site import GOLDEN, national_site
from tests.support.contract_events import milliseconds
from tests.support.golden import Golden

(NAME,) = Golden(GOLDEN).names("satisfaction")
TOLD = Golden(GOLDEN).load(NAME)


def test_summed_up() -> None:
    found = summed_up("2026-10", 0, TOLD["ratings"])
    assert (found.counts, found.total) == ((1, 1, 1, 1, 3), 7)
    assert (found.between(5, 5), found.between(3, 4), found.between(1, 2)) == (3, 2, 2)
    assert summed_up("2026-10", 0, []).total == 0


async def test_as_the_golden_message() -> None:
    script = Script(TOLD["exchange"])
    known = {"adapter_url": ADDRESS, "username": "binhthuan", **TOLD["settings"]}
    portal = NationalPortal(NationalPortalSettings.model_validate(known), "golden-password", script)
    await portal.open()
    await given_session(portal._opened())
    answer = await portal.send_satisfaction(summed_up("2026-10", milliseconds(TOLD["at"]), TOLD["ratings"]))
    await portal.close()
    assert (script.left, answer.status) == ([], 200)


async def test_the_simulator_takes_it_and_another_portal_has_no_call(tmp_path: Path) -> None:
    told = summed_up("2026-10", milliseconds(TOLD["at"]), TOLD["ratings"])
    async with national_site(tmp_path) as site:
        answer = await send(make_portal(site.subscriber()), told)
        assert answer is not None
        assert site.rows("SELECT service, error_code FROM calls") == [("DongBoDanhGia", "0")]
    topic = Subscriber(name="x", kind="kafka-topic")
    assert await send(make_portal(topic), told) is None


def test_by_command_from_the_read_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path)
    engine = open_engine(settings)
    g = tables.current(engine)
    with engine.begin() as connection:
        for number, rating in enumerate(TOLD["ratings"]):
            key = f"H11.12-261001-{number:04}"
            at = milliseconds("2026-10-05T01:00:00Z")
            connection.execute(
                g.dossiers.insert().values(key=key, family="dossier", hub_seq=1, status="RETURNED", state={})
            )
            row = {"key": key, "hub_seq": 1, "event_id": key, "type": "x", "source": "x", "step": "RATED"}
            row |= {"late": False, "occurred_at": at, "rating": rating, "partition": 0, "offset": number}
            connection.execute(g.events.insert().values(**row))
    engine.dispose()
    monkeypatch.setattr(config, "load", lambda: settings)
    runner = typer.testing.CliRunner()
    told = runner.invoke(command.app, ["dvcqg", "--month", "2026-10", "--dry-run", "--json"])
    assert json.loads(told.stdout)["counts"] == [1, 1, 1, 1, 3]
    assert told.exit_code == 0
    none = runner.invoke(command.app, ["dvcqg", "--month", "2026-09"])
    assert (none.exit_code, "nobody rated" in none.stdout) == (1, True)
