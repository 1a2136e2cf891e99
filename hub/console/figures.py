"""The page of monthly figures: which number is opened to its dossiers, and the report kept for a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine

from hub.config import Settings
from hub.console.words import LOCAL
from hub.model import codes
from hub.reports.monthly_report import monthly
from hub.reports.monthly_report_xlsx import COLUMNS, LEVELS
from hub.untyped import JsonObject

KEEP_S = 60.0
"""A page with many numbers is opened number by number; a month of a province takes seconds to count."""
SUM = "tong."
LIMIT = 2_000
"""Codes shown of one number."""
_KEPT = 4


class Figures:
    """Reports of the read model. Counting is done by one caller at a time."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, JsonObject]] = {}

    def report(self, month: str, agency: str) -> JsonObject:
        """At most KEEP_S old. ConfigError (`month`, `agency`)."""
        with self._lock:
            known = self._kept.get((month, agency))
            if known is None or time.monotonic() - known[0] > KEEP_S:
                known = time.monotonic(), monthly(self._engine, self._settings, month, agency)
                self._kept.pop((month, agency), None)
                self._kept[month, agency] = known
                while len(self._kept) > _KEPT:
                    del self._kept[next(iter(self._kept))]
            return known[1]


def this_month() -> str:
    return datetime.now(LOCAL).strftime("%Y-%m")


def page_values(report: JsonObject, agency: str, number: str) -> JsonObject:
    """What figures.html needs. agency: as chosen, in either form. number: which one is opened (of the sum over all rows
    with SUM before it), "" or an unknown word for none."""
    chosen = codes.agency(agency).normal if agency else ""
    one = next((a for a in report["agencies"] if a["agency"] == chosen), report["province"])
    holder = report["province"] if number.startswith(SUM) else one
    found = {name: (title, value) for name, title, value in _numbers(holder)}.get(number.removeprefix(SUM))
    who = holder["name"] or holder["agency"]
    opened = {"title": f"{who}, {found[0]}", "number": found[1]} if found else None
    return {
        "r": report, "one": one, "chosen": chosen, "sum_prefix": SUM, "opened": opened, "columns": COLUMNS,
        "levels": LEVELS, "limit": LIMIT,
    }  # fmt: skip


def _numbers(agency: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    """(name in the address, title, {count, dossiers}) of every number of the page."""
    for key, title in COLUMNS:
        yield key, title.lower(), agency["figures"][key]
    yield "procedures", "thủ tục", agency["publication"]["procedures"]
    yield "complete", "thủ tục công khai đủ", agency["publication"]["complete"]
    for key, part in agency["online"]["by_level"].items():
        title = LEVELS.get(key, key).lower()
        yield f"level.{key}.online", f"{title}, trực tuyến", part["online"]
        yield f"level.{key}.received", f"{title}, tiếp nhận", part["received"]
    for group in agency["score"]["groups"]:
        for item in group["items"]:
            yield f"item.{item['item']}.counted", f"mục {item['item']}, đạt", item["counted"]
            yield f"item.{item['item']}.total", f"mục {item['item']}, trên", item["total"]
