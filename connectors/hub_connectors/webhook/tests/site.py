"""The provincial portal's simulator as the tests use it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.connect.portal import Item
from hub.control.records import Subscriber
from hub_connectors.simulation.app import FaultyApp
from hub_connectors.simulation.faults import FaultPlan
from hub_connectors.simulation.server import running
from hub_connectors.webhook.simulator.command import PATH, build
from hub_connectors.webhook.simulator.signature import key_of
from tests.contract.portal_suite import Site
from tests.support.contract_events import dossier_of

GOLDEN = Path(__file__).parents[1] / "golden"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class ProvincialSite(Site):
    calls_per_delivery = 1

    def __init__(self, url: str, app: FaultyApp, database: Path) -> None:
        self.url = url
        self.app = app
        self.database = database

    def subscriber(self, **settings: Any) -> Subscriber:
        known = {"url": self.url + PATH, "allow_loopback": True, **settings}
        return Subscriber(name="tinh", kind="webhook", settings=known, secrets={"signing": SECRET})

    def rows(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(self.database)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def check(self, items: Sequence[Item]) -> None:
        if not items:
            assert self.rows("SELECT * FROM events") == []
            return
        sql = "SELECT webhook_id, hub_seq, body, altered FROM events WHERE key = ? ORDER BY arrival"
        kept = self.rows(sql, items[0].key)
        assert [row[0] for row in kept] == [item.envelope.id for item in items]
        for (_, hub_seq, body, altered), item in zip(kept, items, strict=True):
            data = json.loads(body)["data"]
            assert hub_seq == item.hub_seq
            assert altered == 0
            assert data["step"]["occurred_at"] == f"2026-03-02T{item.hub_seq:02}:15:00.000Z"
            assert data["dossier"]["abstract"] == dossier_of(item).abstract

    def doubled(self) -> int:
        return sum(n - 1 for (n,) in self.rows("SELECT receptions FROM events"))


@asynccontextmanager
async def provincial_site(
    folder: Path, secrets: Sequence[str] = (SECRET,), tolerance_s: float = 300.0
) -> AsyncIterator[ProvincialSite]:
    database = folder / "provincial.sqlite"
    app, ledger = build([key_of(secret) for secret in secrets], database, FaultPlan(), tolerance_s=tolerance_s)
    try:
        async with running(app, app.connections) as url:
            try:
                yield ProvincialSite(url, app, database)
            finally:
                app.let_go()
    finally:
        ledger.close()
