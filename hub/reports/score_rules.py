"""What the score is made of, as data: score.toml, or the province's own file of the same shape."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from hub.errors import ConfigError
from hub.reports.dossier_case import Rules

FIELD = "figures.rules_file"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the score. formula: for people. full_at: share that gives full points. missing: why the hub cannot
    compute it, "" if it can. without: why there is no value in a month without data."""

    id: str
    group: int
    name: str
    formula: str
    evidence: str
    full_at: float = 1.0
    missing: str = ""
    without: str = "không có số liệu trong kỳ"


@dataclass(frozen=True, slots=True)
class Group:
    """Items of one group weigh the same; the group gives at most `points`."""

    number: int
    name: str
    points: float


@dataclass(frozen=True, slots=True)
class Scheme:
    """bands: (from, name), the highest first."""

    measure: Rules
    working_days_before_effect: int
    working_days_after_decision: int
    complete: tuple[str, ...]
    online_levels: tuple[int, ...]
    dislike_at_most: int
    bands: tuple[tuple[float, str], ...]
    groups: tuple[Group, ...]
    items: tuple[Item, ...]

    def band(self, total: float) -> str:
        return next((name for least, name in self.bands if total >= least), "")


@cache
def scheme(path: Path | None = None) -> Scheme:
    """ConfigError (`figures.rules_file`) names what is wrong with the file."""
    if path is None:
        return parse(resources.files("hub.reports").joinpath("score.toml").read_text("utf-8"))
    try:
        return parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(FIELD, f"{path}: {error}") from None


def parse(text: str) -> Scheme:
    """ConfigError (`figures.rules_file`)."""
    try:
        data = tomllib.loads(text)
        found = _scheme(data)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(FIELD, f"is no TOML: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(FIELD, f"{type(error).__name__}: {error}") from None
    numbers = {group.number for group in found.groups}
    for item in found.items:
        if item.group not in numbers or not 0 < item.full_at <= 1:
            raise ConfigError(FIELD, f"item {item.id}: its group must be one of {sorted(numbers)}, full_at in (0, 1]")
    if found.measure.one_supplement_ends not in ("open", "always"):
        raise ConfigError(FIELD, "measure.one_supplement_ends must be open or always")
    return found


def _scheme(data: Mapping[str, Any]) -> Scheme:
    publish = data["publish"]
    return Scheme(
        measure=Rules(**data["measure"]),
        working_days_before_effect=int(publish["working_days_before_effect"]),
        working_days_after_decision=int(publish.get("working_days_after_decision", 5)),
        complete=tuple(publish["complete"]),
        online_levels=tuple(publish["online_levels"]),
        dislike_at_most=int(publish["dislike_at_most"]),
        bands=tuple(sorted(((float(b["from"]), str(b["name"])) for b in data["band"]), reverse=True)),
        groups=tuple(Group(**group) for group in data["group"]),
        items=tuple(Item(**item) for item in data["item"]),
    )
