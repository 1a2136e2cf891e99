"""The national portal's simulator as the tests use it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.connect.portal import Item
from hub.control.records import Subscriber
from hub_connectors.national_portal.simulator.command import build
from hub_connectors.national_portal.simulator.options import ADAPTER, Options
from hub_connectors.simulation.app import FaultyApp
from hub_connectors.simulation.faults import FaultPlan
from hub_connectors.simulation.server import running
from tests.contract.portal_suite import Site
from tests.support.contract_events import START, dossier_event_of, dossier_of, milliseconds

GOLDEN = Path(__file__).parents[1] / "golden"
CODES: dict[str, str] = json.loads((GOLDEN / "10_status_codes.json").read_text())["codes"]


class NationalSite(Site):
    calls_per_delivery = 4

    def __init__(self, url: str, app: FaultyApp, database: Path, options: Options) -> None:
        self.url = url
        self.app = app
        self.options = options
        self.database = database

    def subscriber(self, **settings: Any) -> Subscriber:
        base = self.url + (ADAPTER if settings.get("mode") != "wrapper" else "")
        known = {
            "adapter_url": base,
            "madonvi": "000.00.00.H11",
            "username": "binhthuan",
            "allow_loopback": True,
            **settings,
        }
        return Subscriber(name="dvcqg", kind="national-portal", settings=known, secrets={"password": "golden-password"})

    def rows(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(self.database)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def check(self, items: Sequence[Item]) -> None:
        if not items:
            assert self.rows("SELECT * FROM dossiers") == []
            return
        code, last = items[0].key, dossier_of(items[-1])
        kept = [json.loads(body) for (body,) in self.rows("SELECT body FROM dossiers WHERE ma_ho_so = ?", code)]
        assert len(kept) == 1
        assert kept[0]["TrangThaiHoSo"] == CODES[last.status]
        assert kept[0]["TrichYeuHoSo"] == last.abstract
        sql = "SELECT thoi_diem_xu_ly, trang_thai, phong_ban_xu_ly FROM progress_lines WHERE ma_ho_so = ? ORDER BY id"
        lines = [tuple(row) for row in self.rows(sql, code)]
        due = [self._line(item) for item in items]
        if self.options.progress_mode == "replace":
            assert lines
            assert due[-1] == lines[-1]
            assert set(lines) <= set(due)
        else:
            assert list(dict.fromkeys(lines)) == due
        if self.options.progress_mode == "dedupe":
            assert len(lines) == len(due)
        history = "SELECT json_extract(body, '$.TrichYeuHoSo') FROM dossier_history WHERE ma_ho_so = ? ORDER BY id"
        steps = [int(abstract.split()[-1]) for (abstract,) in self.rows(history, code)]
        assert steps == sorted(steps), "the dossier's state went back"

    @staticmethod
    def _line(item: Item) -> tuple[str, str, str]:
        """Computed by hand from the start of all test dossiers: 2026-03-02 08:15 in Việt Nam, an hour a step."""
        event = dossier_event_of(item)
        assert milliseconds(START) + (item.hub_seq - 1) * 3_600_000 == event.step.occurred_at
        return f"20260302{7 + item.hub_seq:02}1500", CODES[event.status], "Một cửa"

    def doubled(self) -> int:
        lines = "SELECT count(*) FROM progress_lines GROUP BY ma_ho_so, thoi_diem_xu_ly, trang_thai, phong_ban_xu_ly"
        again: int = sum(n - 1 for (n,) in self.rows(lines))
        again += sum(n - 1 for (n,) in self.rows("SELECT receptions FROM progress_lines"))
        return again


@asynccontextmanager
async def national_site(
    folder: Path, site: type[NationalSite] = NationalSite, **options: Any
) -> AsyncIterator[NationalSite]:
    chosen = Options(**options)
    database = folder / "national.sqlite"
    app, ledger = build(chosen, database, FaultPlan())
    try:
        async with running(app, app.connections) as url:
            try:
                yield site(url, app, database, chosen)
            finally:
                app.let_go()
    finally:
        ledger.close()
