"""The national portal's list of procedures for the demo: what the province publishes, with the differences that
province.toml names."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hub.config import Settings
from hub.demo.extras import plan
from hub.demo.generator.event import Event
from hub.events import families
from hub.machine.child_process import die_with_parent
from hub.supervisor.environment import role_command, variables
from hub.untyped import JsonObject

SOURCE = "national-catalogue"


def national_list(events: Iterable[Event]) -> tuple[JsonObject, list[tuple[str, str]]]:
    """(services of the portal -> what they answer, the (code, kind) of each planted difference)."""
    entries, office = _published(events)
    own, said = plan()["national"], {code: dict(entry) for code, entry in entries.items()}
    said[own["other_time_limit"]["code"]]["time_limit"] = own["other_time_limit"]["days"]
    said[own["other_fee"]["code"]]["fee_vnd"] = own["other_fee"]["fee"]
    planted = [
        (own["other_time_limit"]["code"], "OTHER_TIME_LIMIT"),
        (own["other_fee"]["code"], "OTHER_FEE"),
        (own["withdrawn"], "WITHDRAWN_STILL_PUBLISHED"),
        (f"{own['withdrawn']}.01", "WITHDRAWN_STILL_OFFERED"),
    ]
    for more in own["more"]:
        like = said[own["other_time_limit"]["code"]]
        said[more["code"]] = like | {"name": more["name"], "time_limit": more["days"], "fee_vnd": more["fee"]}
        planted.append((more["code"], "NOT_PUBLISHED"))
    details = {code: _detail(code, entry, office, code == own["withdrawn"]) for code, entry in said.items()}
    listed = [{name: row[name] for name in ("MATTHC", "TENTTHC", "TRANGTHAI")} for row in details.values()]
    offices = [{"MADONVI": office, "TENDONVI": "UBND tỉnh", "CAPDONVI": "1"}]
    asked = [{"HOIDAPID": one["id"], "NOIDUNG": one["text"], "MADONVI": office} for one in plan()["questions"]]
    answers = {"LayDanhSachTTHC": listed, "LayThuTuc": details, "LayDanhMucCoQuan": offices}
    return answers | {"LayDanhSachHoiDapGuiTuDVCQG": asked}, sorted(planted)


def _published(events: Iterable[Event]) -> tuple[dict[str, JsonObject], str]:
    """(what the province publishes in the end, the office that does)."""
    found: dict[str, JsonObject] = {}
    office = ""
    for event in sorted((e for e in events if e.type == families.PROCEDURE.published), key=lambda event: event.at):
        if event.data["change"] == "WITHDRAWN":
            found.pop(event.subject, None)
        else:
            found.setdefault(event.subject, {}).update(event.data)
        office = event.data.get("agency_code", office)
    return found, office


def _detail(code: str, entry: Mapping[str, Any], office: str, withdrawn: bool) -> JsonObject:
    """LayThuTuc (docs/field/packets.md#procedure)."""
    fee = {"MAPHILEPHI": "LP01", "SOTIEN": str(entry["fee_vnd"]), "DONVI": "Đồng", "MOTA": ""}
    time = {"THOIGIANGIAIQUYET": f"{entry['time_limit']:g}", "DONVITINH": entry["time_limit_unit"], "MOTA": "",
            "PHILEPHI": [fee]}  # fmt: skip
    return {
        "MATTHC": code, "TENTTHC": entry["name"], "TRANGTHAI": "0" if withdrawn else "1", "MACOQUANCONGBO": office,
        "QUYETDINH": entry.get("decision", ""), "CAPTHUCHIEN": [{"TENCAP": entry["authority_level"]}],
        "LINHVUCTHUCHIEN": [{"MALINHVUC": entry["field_code"], "TENLINHVUC": entry["field_name"]}],
        "CACHTHUCTHUCHIEN": [{"KENH": "1", "THOIGIAN": [time]}],
    }  # fmt: skip


def write(path: Path, answers: Mapping[str, Any]) -> None:
    """In one move: the simulator reads the file again when it changes."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(answers, ensure_ascii=False, indent=1), "utf-8")
    os.replace(part, path)


def codes(path: Path) -> list[str]:
    """The procedures that the list holds."""
    return [row["MATTHC"] for row in json.loads(path.read_text("utf-8"))["LayDanhSachTTHC"]]


async def start_source(settings: Settings) -> asyncio.subprocess.Process:
    """`hub run source:national-catalogue`, with settings that do not wait for an hour."""
    own = settings.model_copy(update={"sources": {SOURCE: {"poll_s": 600.0, "retry_s": 0.3}}})
    role = f"source:{SOURCE}"
    log = settings.data_dir / "logs" / f"source_{SOURCE}.out"
    with log.open("wb") as file:
        return await asyncio.create_subprocess_exec(
            *role_command(own, role),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=variables(own),
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),
        )
