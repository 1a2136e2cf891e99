"""The slices of the domain on the generated province: what is shown is collected by the hub's public ways, and the
checkers say what of it is not as it was sent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.config import Settings
from hub.demo.checker import catalogue
from hub.demo.checker import deadlines as checker_deadlines
from hub.demo.checker import dossiers as checker_dossiers
from hub.demo.checker import figures as checker_figures
from hub.demo.checker import joint as checker_joint
from hub.demo.checker import national as checker_national
from hub.demo.checker.deadlines import Feed, Told
from hub.demo.checker.result import Slice
from hub.demo.checker.sent import Sent, millis
from hub.demo.citizens import INBOUND_SOURCE
from hub.demo.commands import api, hub_json, subjects
from hub.demo.extras import plan
from hub.demo.portals import Simulator
from hub.demo.topic_counts import Tally
from hub.errors import StartError
from hub.untyped import JsonObject

SETTLE_S = 20.0
"""So long the pages may lag behind the topics."""

TITLES = {
    "procedures": (2, "Procedures", "Thủ tục hành chính"),
    "online_services": (3, "Online services", "Dịch vụ công trực tuyến"),
    "dossiers": (4, "Dossiers", "Hồ sơ"),
    "joint_handling": (5, "Joint handling", "Liên thông"),
    "deadlines": (6, "Deadlines", "Thời hạn giải quyết"),
    "national_portal": (7, "National portal", "Cổng Dịch vụ công quốc gia"),
    "figures": (8, "Figures of a month", "Số liệu tháng"),
}


@dataclass
class Collected:
    """What act two has sent, when the hub took it in, and where it can be seen."""

    settings: Settings
    portals: Mapping[str, Simulator]
    tally: Tally
    folder: Path
    month: str
    sent: Sent
    answered: Sent
    planted: list[tuple[str, str]]
    outcomes: dict[str, str]
    feed: Feed
    told: list[Told] = field(default_factory=list)
    questions: dict[str, list[str]] = field(default_factory=lambda: {"before": [], "after": []})
    dead_before: frozenset[str] = frozenset()

    @property
    def national(self) -> Path:
        return self.portals["national"].database

    @property
    def provincial(self) -> Path:
        return self.portals["provincial"].database

    def _json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text("utf-8"))

    async def all(self, deadlines_told: Callable[[], Awaitable[None]]) -> dict[str, Slice]:
        """Every slice by its name in the report; dossiers first: they tell that the pages have caught up. The deadlines
        are looked at last, once `deadlines_told` is over."""
        looks: dict[str, Callable[[], Awaitable[Slice]]] = {
            "dossiers": self.dossiers, "joint_handling": self.joint, "procedures": self.procedures,
            "online_services": self.services, "national_portal": self.portal, "figures": self.figures,
        }  # fmt: skip
        found = {name: await _until_right(look) for name, look in looks.items()}
        await deadlines_told()
        found["deadlines"] = await _until_right(self.deadlines)
        return {name: found[name] for name in TITLES}

    async def dossiers(self) -> Slice:
        answers = await subjects(self.settings, self.sent.dossiers)
        return await asyncio.to_thread(checker_dossiers.check, self.sent, self.national, self.provincial, answers)

    async def joint(self) -> Slice:
        answers = await subjects(self.settings, checker_joint.involved(self.sent))
        return checker_joint.check(self.sent, answers)

    async def deadlines(self) -> Slice:
        return checker_deadlines.check(self.sent, self.told, self.feed, int(time.time() * 1000))

    async def procedures(self) -> Slice:
        listed = self._json("national-list.json")
        compared = await hub_json(self.settings, "catalogue", "compare")
        answers = await subjects(self.settings, catalogue.codes_of(self.sent, listed))
        reference = self.settings.reconcile.reference_source
        return catalogue.check_procedures(
            self.sent, listed, set(self.planted), compared, answers, reference, self.provincial
        )

    async def services(self) -> Slice:
        coverage = await hub_json(self.settings, "catalogue", "coverage")
        letters = [letter for id, letter in self.tally.dead.items() if id not in self.dead_before]
        dead = {letter.event_id: letter.reason for letter in letters}
        listed = self._json("national-list.json")
        return catalogue.check_services(self.sent, listed, coverage, dead, self.provincial)

    async def portal(self) -> Slice:
        filed = self._json("filed.json")
        (report,) = await api(self.settings, f"/v1/figures/{self.month}")
        if report is None:
            raise StartError(f"the read API has no figures of {self.month}")
        said = await hub_json(self.settings, "satisfaction", "national", "--month", self.month)
        start, end = millis(report["from"]), millis(report["until"])
        satisfied = checker_national.check_satisfaction(self.sent, start, end, said, self.national)
        asked = self._json("national-list.json")["LayDanhSachHoiDapGuiTuDVCQG"]
        replies = {str(one["id"]): one["answer"] for one in plan()["questions"] if "answer" in one}
        questions = checker_national.check_questions(asked, replies, self.questions, self.national)
        answers = await subjects(self.settings, [one["MaHoSo"] for one in filed])
        others = questions, satisfied
        return checker_national.check(filed, self.answered, self.national, answers, INBOUND_SOURCE, *others)

    async def figures(self) -> Slice:
        (report,) = await api(self.settings, f"/v1/figures/{self.month}")
        if report is None:
            raise StartError(f"the read API has no figures of {self.month}")
        return checker_figures.check(self.sent, report, self.outcomes)


async def _until_right(look: Callable[[], Awaitable[Slice]]) -> Slice:
    """Looked at again while something is wrong: what the pages show may lag a moment behind."""
    deadline = asyncio.get_running_loop().time() + SETTLE_S
    while True:
        found = await look()
        if not found.wrong or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(1.0)


def report(slices: Mapping[str, Slice]) -> tuple[JsonObject, list[str]]:
    """(the report's part by slice, a sentence for each slice that is not as it must be)."""
    out, wrong = JsonObject(), list[str]()
    for name, found in slices.items():
        number, english, vietnamese = TITLES[name]
        titles = {"slice": number, "title": english, "tieu_de": vietnamese, "shown": found.shown}
        out[name] = titles | found.figures | {"wrong": len(found.wrong)}
        if found.wrong:
            wrong.append(f"slice {number}, {english}: {len(found.wrong)} wrong, first: {found.wrong[0]}")
    return out, wrong
