"""Counts what the portals hold against what is due. It imports nothing from the hub: only the sample, the mapping and
the manifest as data, and the simulators' SQLite files.

Due to both portals is every row of the sample whose dossier stands in the manifest (in a whole demo: all of them, which
the committed number of events shows). A row is known again by its task id (`concept:instance`), which stands
in the note of its step and so in a portal's record.

provincial: an event for each row, with these values, in order of `hub_seq` at first arrival.
national:   the dossier with its final values; a progress line for each row (rows that the portal cannot tell apart,
            same dossier, second, status and department, may share one); the dossier's status never went back. It may
            append lines or drop doubles; a portal that keeps only the last call's lines cannot be counted in this way.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sqlite3
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hub.demo.checker.result import JsonObject

TASK = re.compile(r"\((task-\d+)\)$")
VIETNAM = timezone(timedelta(hours=7))
# Status words and codes of the portals (docs/field/statuses.md) for the steps that the sample is mapped to.
STATUS = {
    "RECEIVED": ("ACCEPTED", "2"),
    "IN_PROCESS": ("IN_PROCESS", "4"),
    "TRANSFERRED": ("IN_PROCESS", "4"),
    "SUPPLEMENT_REQUESTED": ("SUPPLEMENT", "5"),
    "RETURNED": ("RETURNED", "10"),
}
CHANNEL_CODE = {"DIRECT": "1", "ONLINE": "2", "POST": "3"}


@dataclass(frozen=True, slots=True)
class Due:
    """One row of the sample as the portals must show it. Times in ms UTC; `number` counts within its dossier."""

    task: str
    code: str
    number: int
    at: int
    step: str
    values: Mapping[str, Any]

    @property
    def line(self) -> tuple[str, str, str, str]:
        """What the national portal tells lines apart by."""
        return self.code, wire(self.at), STATUS[self.step][1], self.values["department"] or ""


@dataclass
class Finding:
    """What is wrong at one portal. missing: tasks; altered: (task or code, field, due, found); unexpected: what nobody
    sent; order: (code, what came too late); repeated: receptions beyond the first."""

    due: int = 0
    delivered: int = 0
    missing: list[str] = field(default_factory=list)
    altered: list[tuple[str, str, str, str]] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    order: list[tuple[str, str]] = field(default_factory=list)
    repeated: int = 0

    def compare(self, name: str, due: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        for key, value in due.items():
            if found.get(key) != value:
                self.altered.append((name, key, str(value), str(found.get(key))))

    def count(self, due: Mapping[str, Due], seen: Iterable[str]) -> None:
        self.due = len(due)
        self.missing = sorted(due.keys() - set(seen))
        self.delivered = self.due - len(self.missing)


def millis(text: str, round_ms: int) -> int:
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1) // round_ms * round_ms


def wire(at: int) -> str:
    """yyyyMMddHHmmss in Việt Nam (docs/field/portal.md#written-values)."""
    return f"{datetime.fromtimestamp(at // 1000, VIETNAM):%Y%m%d%H%M%S}"


def iso(at: int) -> str:
    """RFC 3339 with milliseconds."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def expected(sample: Path, plan: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Due]:
    """task -> what is due for it."""
    agencies = {a["name"]: a for a in plan["agencies"]}
    numbers: dict[str, int] = {}
    out: dict[str, Due] = {}
    with sample.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            case, task = manifest["dossiers"].get(row["case:concept:name"]), row["concept:instance"]
            if case is None:
                continue
            agency, known = agencies[case["agency"]], plan["steps"][row["concept:name"]]
            code, exact = case["dossier_code"], agency["round_ms"]
            numbers[code] = numbers.get(code, 0) + 1
            procedure = plan["procedures"][row["case:department"]]
            group = row["org:group"]
            values = {
                "procedure_code": procedure["code"],
                "procedure_name": procedure["name"],
                "field_code": procedure["field_code"],
                "agency_code": agency["code"],
                "agency_name": agency["title"],
                "applicant": case["applicant"],
                "channel": plan["channels"][row["case:channel"]],
                "received_at": millis(row["case:startdate"], exact),
                "due_at": millis(row["case:deadline"] or row["case:enddate_planned"], exact),
                "handler": row["org:resource"].replace("Resource", "Cán bộ "),
                "department": None if group == "EMPTY" else group.replace("Group", "Phòng"),
                "note": f"{known['word']} ({task})",
                "transferred_to": plan["transferred_to"].get(known["step"]),
            }
            at = millis(row["time:timestamp"], exact)
            out[task] = Due(task, code, numbers[code], at, known["step"], values)
    return out


def check_provincial(due: Mapping[str, Due], database: Path) -> Finding:
    """Each event's values, presence and order."""
    finding, highest, seen = Finding(), dict[str, tuple[int, str]](), set[str]()
    for row in _rows(database, "SELECT * FROM events ORDER BY arrival"):
        finding.repeated += row["receptions"] - 1
        data = json.loads(row["body"])["data"]
        step = data["step"]
        task = _task(step.get("note"))
        if task not in due:
            finding.unexpected.append(f"{row['key']} {row['webhook_id']}")
            continue
        if row["altered"]:
            finding.altered.append((task, "body", "the same at each reception", f"{row['altered']} times another"))
        seen.add(task)
        finding.compare(task, _provincial_values(due[task]), _flat(data) | {"key": row["key"]})
        seq, last = row["hub_seq"], highest.get(row["key"], (0, ""))
        if seq < last[0]:
            finding.order.append((row["key"], f"{task} (hub_seq {seq}) arrived after {last[1]} (hub_seq {last[0]})"))
        highest[row["key"]] = max(last, (seq, task))
    finding.count(due, seen)
    return finding


def _provincial_values(due: Due) -> JsonObject:
    values = due.values
    return {
        "key": due.code, "dossier_code": due.code, "hub_seq": due.number, "late": False, "step": due.step,
        "status": STATUS[due.step][0], "occurred_at": iso(due.at), "received_at": iso(values["received_at"]),
        "due_at": iso(values["due_at"]), "applicant.name": values["applicant"], "handler.name": values["handler"],
        "handler.department": values["department"], "dossier.status": STATUS[due.step][0],
        **{name: values[name] for name in ("procedure_code", "procedure_name", "field_code", "agency_code",
                                           "agency_name", "channel", "note", "transferred_to")},
    }  # fmt: skip


def _flat(data: Mapping[str, Any]) -> JsonObject:
    step = data["step"]
    people = {f"{who}.{part}": (step.get(who) or {}).get(part) for who in ("applicant", "handler")
              for part in ("name", "department")}  # fmt: skip
    own = {"hub_seq": data["hub_seq"], "late": data["late"], "status": data["status"]}
    return {**step, **people, **own, "dossier.status": data["dossier"]["status"]}


def check_national(due: Mapping[str, Due], database: Path) -> Finding:
    """Lines of progress, the dossiers' final values, and the order of their statuses."""
    finding, seen, shown = Finding(), set[str](), set[str]()
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for one in due.values():
        alike.setdefault(one.line, []).append(one.task)
    rows = 0
    for row in _rows(database, "SELECT * FROM progress_lines ORDER BY id"):
        rows += row["receptions"]
        task = _task(row["noi_dung_xu_ly"])
        line = (row["ma_ho_so"], row["thoi_diem_xu_ly"], row["trang_thai"], row["phong_ban_xu_ly"])
        if task not in due:
            finding.unexpected.append(f"line {' '.join(line)}")
            continue
        shown.add(task)
        seen |= {task, *alike.get(line, ())}
        finding.compare(task, _line_values(due[task]), dict(row))
    finding.count(due, seen)
    finding.repeated = rows - len(shown)
    _check_dossiers(due, database, finding)
    return finding


def _line_values(due: Due) -> dict[str, str]:
    code, at, status, department = due.line
    return {"ma_ho_so": code, "thoi_diem_xu_ly": at, "trang_thai": status, "phong_ban_xu_ly": department,
            "nguoi_xu_ly": due.values["handler"], "noi_dung_xu_ly": due.values["note"]}  # fmt: skip


def _check_dossiers(due: Mapping[str, Due], database: Path, finding: Finding) -> None:
    steps: dict[str, list[Due]] = {}
    for one in due.values():
        steps.setdefault(one.code, []).append(one)
    found = {row["ma_ho_so"]: json.loads(row["body"]) for row in _rows(database, "SELECT * FROM dossiers")}
    finding.unexpected += sorted(f"dossier {code}" for code in found.keys() - steps.keys())
    for code, row in steps.items():
        if code in found:
            finding.compare(code, _dossier_values(row[-1]), found[code])
        else:
            finding.missing.append(f"dossier {code}")
    history: dict[str, list[str]] = {}
    for entry in _rows(database, "SELECT ma_ho_so, trang_thai FROM dossier_history ORDER BY id"):
        history.setdefault(entry["ma_ho_so"], []).append(entry["trang_thai"])
    for code, shown in history.items():
        path = [STATUS[one.step][1] for one in steps.get(code, [])]
        finding.order += [(code, fault) for fault in _went_back(path, shown)]


def _went_back(path: list[str], shown: list[str]) -> Iterator[str]:
    """Statuses that were shown although the dossier was further on already."""
    place = 0
    for number, status in enumerate(shown, 1):
        if status in path[place:]:
            place = path.index(status, place)
        else:
            yield f"call {number} shows status {status}, which does not come any more (due: {' '.join(path)})"


def _dossier_values(last: Due) -> dict[str, str]:
    values = last.values
    return {
        "MaHoSo": last.code, "MaTTHC": values["procedure_code"], "TenTTHC": values["procedure_name"],
        "MaLinhVuc": values["field_code"], "ChuHoSo": values["applicant"], "TrangThaiHoSo": STATUS[last.step][1],
        "NgayTiepNhan": wire(values["received_at"]), "NgayHenTra": wire(values["due_at"]),
        "DonViXuLy": values["agency_name"], "KenhThucHien": CHANNEL_CODE[values["channel"]],
    }  # fmt: skip


def _task(note: str | None) -> str:
    found = TASK.search(note or "")
    return found[1] if found else ""


def _rows(database: Path, query: str) -> Iterator[sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        yield from db.execute(query)


def check(sample: Path, plan: Path, manifest: Path, national: Path, provincial: Path) -> dict[str, Finding]:
    """Portal -> what was found."""
    due = expected(sample, tomllib.loads(plan.read_text("utf-8")), json.loads(manifest.read_text("utf-8")))
    return {"national": check_national(due, national), "provincial": check_provincial(due, provincial)}


def main() -> int:
    """`python -m hub.demo.checker …`: prints the findings as JSON; 0 if nothing is missing, altered or unordered."""
    parser = argparse.ArgumentParser("python -m hub.demo.checker", description=main.__doc__)
    for name in ("sample", "plan", "manifest", "national", "provincial"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    found = check(**vars(parser.parse_args()))
    json.dump({name: asdict(finding) for name, finding in found.items()}, sys.stdout, ensure_ascii=False, indent=1)
    return int(any(f.missing or f.altered or f.unexpected or f.order for f in found.values()))
