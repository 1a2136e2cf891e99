"""What the simulated provincial portal keeps. Public to the demo's checker:

events(arrival, webhook_id, type, key, hub_seq, body, first_at, last_at, receptions, altered)
    arrival: order of first reception, 1, 2, 3 …; key: dossier, procedure or service code; body: as received;
    receptions: how often the id came; altered: how often it came with another body (must be 0).
refusals(id, at, status, reason)  what was answered with 4xx
"""

from __future__ import annotations

from pathlib import Path

from hub_connectors.simulation.store import Store, utc_now

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    arrival INTEGER PRIMARY KEY AUTOINCREMENT, webhook_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, key TEXT NOT NULL,
    hub_seq INTEGER NOT NULL, body TEXT NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL,
    receptions INTEGER NOT NULL DEFAULT 1, altered INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS events_by_key ON events (key);
CREATE TABLE IF NOT EXISTS refusals (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL);
"""


class Ledger:
    def __init__(self, path: Path | str) -> None:
        self._store = Store(path, _SCHEMA)

    def close(self) -> None:
        self._store.close()

    def receive(self, webhook_id: str, kind: str, key: str, hub_seq: int, body: str) -> None:
        """Keeps a new id; counts one that is known."""
        now = utc_now()
        with self._store.transaction() as db:
            known = db.execute(
                "UPDATE events SET receptions = receptions + 1, last_at = ?, altered = altered + (body <> ?)"
                " WHERE webhook_id = ?",
                (now, body, webhook_id),
            )
            if known.rowcount == 0:
                db.execute(
                    "INSERT INTO events (webhook_id, type, key, hub_seq, body, first_at, last_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (webhook_id, kind, key, hub_seq, body, now, now),
                )

    def refuse(self, status: int, reason: str) -> None:
        self._store.db.execute(
            "INSERT INTO refusals (at, status, reason) VALUES (?, ?, ?)", (utc_now(), status, reason)
        )
