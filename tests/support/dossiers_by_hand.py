"""Reads the dossiers written by hand (tests/data/dossiers.json) as datums of their steps."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

DOSSIERS = json.loads((Path(__file__).parents[1] / "data" / "dossiers.json").read_text(encoding="utf-8"))["dossiers"]
TIMES = {"submitted_at", "received_at", "due_at", "finished_at", "returned_at", "status_at"}


def ms(local: str) -> int:
    return int(datetime.fromisoformat(local + "+07:00").timestamp() * 1000)


def datum(dossier, row):
    facts = {k: ms(v) if k in TIMES else v for k, v in row.get("facts", {}).items()}
    plain = {k: row[k] for k in ("step", "correction", "rating") if k in row}
    return {"dossier_code": dossier["code"], "occurred_at": ms(row["at"]), **plain, **facts}
