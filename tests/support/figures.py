"""The thirty dossiers of tests/data/figures_2026_10 as events: through the core and into the read model."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from hub.events import families
from hub.kafka import topics
from hub.stream.stage import Record
from tests.support.core import Core, record
from tests.support.events import delivery
from tests.support.readmodel import CODEC, Rec, project

FOLDER = Path(__file__).parents[1] / "data" / "figures_2026_10"
NOW = int(datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).timestamp() * 1000)
PAPERS = {
    "paper:digitised": {"result": False, "url": "https://tep.example/giay-to", "digitised": True},
    "paper:plain": {"result": False, "url": "https://tep.example/giay-to", "digitised": False},
    "paper:unknown": {"result": False, "url": "https://tep.example/giay-to", "digitised": None},
    "result:link": {"result": True, "url": "https://tep.example/ket-qua", "digitised": None},
}


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((FOLDER / f"{name}.csv").read_text("utf-8").splitlines()))


def ms(text: str) -> int:
    """`10-14 10:00` of 2026, local time."""
    moment = datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    return int(moment.timestamp() * 1000)


def steps(row: dict[str, str]) -> list[dict[str, Any]]:
    """DossierSteps of `RECEIVED 10-01 08:00; IN_PROCESS! 10-09 08:00; RATED:5 10-16 10:00`; `!` is a correction. The
    first one carries the facts."""
    out = []
    for number, text in enumerate(row["steps"].split("; ")):
        word, _, at = text.partition(" ")
        kind, _, rating = word.rstrip("!").partition(":")
        datum: dict[str, Any] = {"dossier_code": row["code"], "step": kind, "occurred_at": ms(at)}
        datum |= {"correction": word.endswith("!"), "rating": int(rating) if rating else None}
        if kind == "TRANSFERRED":
            datum["transferred_to"] = "H11.30"
        out.append(datum | (_facts(row) if number == 0 else {}))
    return out


def _facts(row: dict[str, str]) -> dict[str, Any]:
    fee = {"code": "LP1", "name": "Lệ phí", "amount_vnd": 75_000, "paid": True}
    return {
        "agency_code": row["agency"],
        "procedure_code": row["procedure"],
        "channel": row["channel"],
        "received_at": ms(row["received"]) if row["received"] else None,
        "due_at": ms(row["due"]) if row["due"] else None,
        "attachments": [PAPERS[w] | {"id": f"t{n}", "name": w} for n, w in enumerate(row["papers"].split())],
        "fees": [fee] if row["fee"] else [],
        "online_payment": int(row["fee"]) if row["fee"] else None,
        "applicant": {"name": "Nguyễn Văn A", "vneid_verified": row["vneid"] == "yes"},
    }


def catalogue() -> list[Record]:
    """Procedures and services, as the head of agencies.csv's rows 1.1, 3.1 and complete say."""
    whole = {
        "name": "Cấp giấy phép", "authority_level": "Cấp huyện", "field_code": "G17-XD04", "field_name": "Xây dựng",
        "decision": "123/QĐ-UBND", "fee_vnd": 75_000,
    }  # fmt: skip
    in_days = {"time_limit": 10.0, "time_limit_unit": "Ngày làm việc"}
    published = [
        ("1.004194", ms("09-01 08:00"),
         {**whole, **in_days, "agency_code": "H11.12", "effective_at": ms("10-15 00:00")}),
        ("1.009994", ms("09-30 08:00"),
         {**whole, "decision": None, "time_limit": 5.0, "time_limit_unit": "Ngày", "agency_code": "H11.12",
          "effective_at": ms("10-05 00:00")}),
        ("1.009995", ms("05-04 08:00"), {**whole, "agency_code": "H11.20", "effective_at": ms("05-20 00:00")}),
        ("1.001612.000.00.00.H11", ms("05-04 08:00"),
         {**whole, **in_days, "agency_code": "H11.20", "effective_at": ms("05-20 00:00")}),
        ("2.002621.H11", ms("05-04 08:00"),
         {**whole, **in_days, "agency_code": "H11.20", "effective_at": ms("10-20 00:00")}),
    ]  # fmt: skip
    out = [_change(code, "PUBLISHED", at, facts) for code, at, facts in published]
    out.append(_change("2.002621.H11", "WITHDRAWN", ms("06-01 08:00"), {}))
    for code, level in (("1.004194", 4), ("1.009994", 3), ("1.001612.000.00.00.H11", 4), ("1.009995", 4)):
        facts = {"procedure_code": code, "level": level, "whole_process": level == 4}
        datum = {"service_code": f"{code}.01", "change": "PUBLISHED", "occurred_at": ms("05-04 08:00"), **facts}
        out.append(record(datum, f"s-{code}", families.SERVICE.published))
    gone = {"service_code": "1.009995.01", "change": "WITHDRAWN", "occurred_at": ms("06-01 08:00")}
    out.append(record(gone, "s-gone", families.SERVICE.published))
    return out


def _change(code: str, kind: str, at: int, facts: dict[str, Any]) -> Record:
    datum = {"procedure_code": code, "change": kind, "occurred_at": at, **facts}
    return record(datum, f"p-{code}-{kind}", families.PROCEDURE.published)


def told(core: Core) -> list[Rec]:
    """What the core has told, as the projector reads it."""
    out = [o for o in core.out if o.topic == topics.EVENTS]
    return [Rec(topics.EVENTS, 0, n, o.key, o.value, o.headers) for n, o in enumerate(out)]


def fill(engine: Engine) -> Core:
    """All of it in the tables; the core tells whether anything was refused."""
    core = Core()
    core.run(*catalogue())
    for row in rows("dossiers"):
        core.run(*(record(step, f"{row['no']}-{n}") for n, step in enumerate(steps(row))))
    records = told(core)
    there = [row["code"] for row in rows("dossiers") if row["national"] == "yes"]
    for n, code in enumerate(there):
        records.append(Rec(topics.DELIVERIES, 0, n, b"", delivery(CODEC, code, "national", [1])))
    elsewhere = delivery(CODEC, "H11.12-261020-0001", "provincial", [1])
    failed = delivery(CODEC, "H11.12-261020-0001", "national", [1], "RETRY_SCHEDULED")
    for n, value in enumerate((elsewhere, failed), len(there)):
        records.append(Rec(topics.DELIVERIES, 0, n, b"", value))
    project(engine, records)
    return core
