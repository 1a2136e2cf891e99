"""Dossiers filed on the national portal: the simulated portal passes them on to the province, the agency answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from hub.config import Settings
from hub.connect.samples import VIETNAM
from hub.demo.commands import hub_json
from hub.demo.extras import Calendar, department, plan
from hub.demo.generator import events
from hub.demo.generator.event import Event
from hub.demo.portals import Simulator
from hub.errors import StartError
from hub.events import families
from hub.model import agencies
from hub.untyped import JsonObject

TRIES_S = 30.0
INBOUND_SOURCE = "urn:vn:gov:dvcqg:inbound"
_NOBODY = "http://127.0.0.1:1"
"""Where nothing listens: a link that is dead."""


def filed(calendar: Calendar, portal: Simulator) -> list[JsonObject]:
    """The dossiers, named as on the portal's wire. The last one's file cannot be had by its link."""
    office, procedure = department(calendar, agencies.table(None)), plan()["filed"]["procedure"]
    answers = plan()["filed"]["answers"]
    out: list[JsonObject] = []
    for number, _ in enumerate(answers, plan()["filed"]["first_number"]):
        at = datetime.fromtimestamp(calendar.now / 1000 - 3600 + number % 100, UTC).astimezone(VIETNAM)
        host = _NOBODY if len(out) == len(answers) - 1 else portal.address
        file = {"TepDinhKemId": f"F-{number}", "TenTepDinhKem": "don.pdf", "IsDeleted": "False",
                "MaThanhPhanHoSo": "", "DuongDanTaiTepTin": f"{host}/downloadfile/F-{number}"}  # fmt: skip
        out.append({
            "MaHoSo": f"{office.code}-{calendar.today:%y%m%d}-{number}", "MaTTHC": procedure["code"],
            "TenTTHC": procedure["name"], "MaLinhVuc": procedure["field_code"], "TenLinhVuc": procedure["field_name"],
            "ChuHoSo": f"Người nộp {number}", "LoaiDoiTuong": "1", "MaDoiTuong": f"TECHID-{number}",
            "Email": f"nguoi-nop-{number}@example.com", "SoDienThoai": f"000000{number}",
            "TrichYeuHoSo": f"{procedure['name']}, nộp trên Cổng Dịch vụ công quốc gia",
            "NgayNopHoSo": f"{at:%Y%m%d%H%M%S}", "DonViXuLy": office.name, "TaiLieuNop": [file],
        })  # fmt: skip
    return out


async def file_all(portal: Simulator, dossiers: list[JsonObject], done: list[int]) -> None:
    """Each filed until the province has taken it: the portal fails now and then. done[0] counts."""
    async with httpx.AsyncClient(timeout=15.0, trust_env=False) as client:
        for dossier in dossiers:
            await _file(client, f"{portal.address}/nop-ho-so", dossier)
            done[0] += 1


async def _file(client: httpx.AsyncClient, url: str, dossier: JsonObject) -> None:
    until, said = time.monotonic() + TRIES_S, ""
    while time.monotonic() < until:
        try:
            answer = (await client.post(url, json=dossier)).json()
            if answer["error_code"] in (0, 1):
                return
            said = str(answer)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            said = f"{type(error).__name__}: {error}"
        await asyncio.sleep(0.3)
    raise StartError(f"{dossier['MaHoSo']} could not be filed on the national portal: {said}")


async def answer_questions(settings: Settings, folder: Path) -> tuple[list[str], list[str]]:
    """Questions on the portal, by `hub questions`: ids of the open ones before and after the agency answered."""
    before = await hub_json(settings, "questions", "list", "national")
    for question in plan()["questions"]:
        if text := question.get("answer"):
            file = folder / f"answer-{question['id']}.txt"
            file.write_text(text, "utf-8")
            told = ("--by", "Bộ phận một cửa", "--text-file", str(file), "--why", "the demo")
            await hub_json(settings, "questions", "answer", "national", str(question["id"]), *told)
    after = await hub_json(settings, "questions", "list", "national")
    return [one["id"] for one in before], [one["id"] for one in after]


def answered(calendar: Calendar, dossiers: list[JsonObject]) -> Iterator[Event]:
    """What the agency makes of each."""
    office = department(calendar, agencies.table(None))
    for dossier, answer in zip(dossiers, plan()["filed"]["answers"], strict=True):
        code, at = dossier["MaHoSo"], calendar.now - 60_000
        datum = {"dossier_code": code, "step": answer["step"], "occurred_at": at, "note": answer["note"],
                 "agency_code": office.code, "agency_name": office.name}  # fmt: skip
        if answer["step"] == "RECEIVED":
            datum |= {"received_at": at, "due_at": at + 20 * 86_400_000}
        yield Event(
            f"demo-answer-{code}", events.source_of(office.code), families.DOSSIER.published, code, at, at, datum
        )
