"""The sample data as events of a province: 8,577 steps of 1,434 dossiers, by the mapping in sample.toml. Deterministic.

A step is flat here: field name of vn.hub.DossierStep, dotted for what is nested -> value, times in ms UTC.
"""

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from hub.connect.samples import SAMPLE, VIETNAM, Agency, Step
from hub.untyped import JsonObject, SettingsTable

# Parts of common names; together they are nobody. No capital with a tone mark: TCVN3 cannot write one.
_SURNAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương")
_MIDDLE = ("Văn", "Thị", "Hữu", "Đức", "Minh", "Ngọc", "Quốc", "Thanh", "Xuân", "Kim", "Gia", "Bảo")
_GIVEN = ("An", "Bình", "Cường", "Dũng", "Hạnh", "Hòa", "Hương", "Khánh", "Lan", "Mỹ", "Nghĩa", "Phúc", "Quỳnh", "Sơn",
          "Thảo", "Thủy", "Tuấn", "Uyên", "Việt", "Yến")  # fmt: skip
NAME_PARTS = (_SURNAMES, _MIDDLE, _GIVEN)


@cache
def plan() -> SettingsTable:
    """sample.toml."""
    return tomllib.loads(resources.files("hub.demo").joinpath("sample.toml").read_text("utf-8"))


def agencies() -> list[Agency]:
    return [Agency(**agency) for agency in plan()["agencies"]]


def sample_rows() -> list[dict[str, str]]:
    """The rows of receipt.csv, in its order: dossier by dossier, each in the order of time."""
    text = resources.files(SAMPLE).joinpath("receipt.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def steps() -> list[Step]:
    """All steps in the order of time (of one dossier: as in the sample)."""
    out: list[Step] = []
    counters: Counter[str] = Counter()
    for number, (case, rows) in enumerate(_by_case(sample_rows()).items()):
        agency = _agency(number)
        filed = datetime.fromisoformat(rows[0]["case:startdate"]).astimezone(VIETNAM)
        prefix = f"{agency.prefix}-{filed:%y%m%d}"
        counters[prefix] += 1
        common = _common(agency, number, rows[0]) | {"dossier_code": f"{prefix}-{counters[prefix]:04d}"}
        out.extend(_step(case, agency, common, row) for row in rows)
    # Stable: rows that a coarse clock puts in one second stay as they were.
    return sorted(out, key=lambda step: step.at)


def some(all_steps: Sequence[Step], dossiers: int) -> list[Step]:
    """The steps of so many dossiers, for a short demo: those whose result was returned, then the first ones."""
    returned = [step.code for step in all_steps if step.fields["step"] == "RETURNED"]
    chosen = set(list(dict.fromkeys([*returned, *(step.code for step in all_steps)]))[:dossiers])
    return [step for step in all_steps if step.code in chosen]


def nested(fields: Mapping[str, Any]) -> JsonObject:
    """The flat step as the record is nested."""
    out: JsonObject = {}
    for name, value in fields.items():
        outer, _, inner = name.rpartition(".")
        (out.setdefault(outer, {}) if outer else out)[inner if outer else name] = value
    return out


def millis(text: str, round_ms: int = 1) -> int:
    """Time of the sample in ms UTC, cut down to what a carrier keeps. Integers only: a float would round."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=round_ms) * round_ms


def write_manifest(path: Path, all_steps: Sequence[Step], planted: Sequence[Mapping[str, str]]) -> None:
    """What the checker cannot know from the sample alone: which dossier became which code of which agency, the made-up
    applicant, and the planted records."""
    dossiers = {
        step.case: {
            "dossier_code": step.code,
            "agency": step.agency.name,
            "applicant": step.fields["applicant.name"],
        }
        for step in all_steps
    }
    content = {"dossiers": dossiers, "planted": list(planted)}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")


def _by_case(rows: Sequence[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    out: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        out.setdefault(row["case:concept:name"], []).append(row)
    return out


def _agency(number: int) -> Agency:
    """Every third dossier goes to the agency that sends by HTTP; the others take turns."""
    by_http, *others = agencies()
    return by_http if number % 3 == 0 else others[(number - number // 3 - 1) % len(others)]


def _common(agency: Agency, number: int, row: Mapping[str, str]) -> JsonObject:
    """What all steps of a dossier share."""
    procedure = plan()["procedures"][row["case:department"]]
    due = row["case:deadline"] or row["case:enddate_planned"]
    return {
        "procedure_code": procedure["code"],
        "procedure_name": procedure["name"],
        "field_code": procedure["field_code"],
        "field_name": procedure["field_name"],
        "agency_code": agency.code,
        "agency_name": agency.title,
        **dict(_applicant(row["case:concept:name"], number)),
        "abstract": f"{procedure['name']}, hồ sơ số {number + 1}",
        "channel": plan()["channels"][row["case:channel"]],
        "received_at": millis(row["case:startdate"], agency.round_ms),
        "due_at": millis(due, agency.round_ms),
    }


def _applicant(case: str, number: int) -> Iterator[tuple[str, str]]:
    digest = hashlib.sha256(case.encode()).digest()
    pick = [part[digest[i] % len(part)] for i, part in enumerate(NAME_PARTS)]
    business = number % 10 == 7
    yield "applicant.name", f"Công ty TNHH {pick[1]} {pick[2]}" if business else " ".join(pick)
    yield "applicant.kind", "BUSINESS" if business else "CITIZEN"
    yield "applicant.phone", f"0000{int.from_bytes(digest[4:8], 'big') % 1_000_000:06d}"
    yield "applicant.email", f"nguoi-nop-{number + 1}@example.com"


def _step(case: str, agency: Agency, common: Mapping[str, Any], row: Mapping[str, str]) -> Step:
    known = plan()["steps"][row["concept:name"]]
    fields = dict(common) | {
        "step": known["step"],
        "occurred_at": millis(row["time:timestamp"], agency.round_ms),
        "handler.name": row["org:resource"].replace("Resource", "Cán bộ "),
        "note": f"{known['word']} ({row['concept:instance']})",
    }
    if row["org:group"] != "EMPTY":
        fields["handler.department"] = row["org:group"].replace("Group", "Phòng")
    if target := plan()["transferred_to"].get(known["step"]):
        fields["transferred_to"] = target
    return Step(row["concept:instance"], case, agency, known["word"], fields)
