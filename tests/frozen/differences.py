"""How two JSON values differ, and how a list of differences is applied. Paths are JSON pointers (RFC 6901)."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

Json = Any

ABSENT: Any = object()
"""Stands for a value that is not there."""
SHOWN = 200
"""Characters of a value in a printed line."""


class Difference(NamedTuple):
    """was ABSENT: added (in a list: inserted before that index). now ABSENT: removed.

    Those of one list are applied in order: an index counts as the list stands when its turn comes.
    """

    path: str
    was: Json
    now: Json

    def as_json(self) -> dict[str, Json]:
        entry = {"path": self.path, "was": self.was, "now": self.now}
        return {name: value for name, value in entry.items() if value is not ABSENT}

    @classmethod
    def of_json(cls, entry: dict[str, Json]) -> Difference:
        return cls(entry["path"], entry.get("was", ABSENT), entry.get("now", ABSENT))

    def __str__(self) -> str:
        was, now = _shown(self.was, self.now)
        if self.was is ABSENT:
            return f"{self.path}: added: {now}"
        if self.now is ABSENT:
            return f"{self.path}: removed: {was}"
        return f"{self.path}: was {was} now {now}"


def canonical(value: Json) -> str:
    """One text for one value; keeps 1, 1.0 and true apart. ValueError for what is no JSON, as NaN."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def differences(was: Json, now: Json, path: str = "") -> Iterator[Difference]:
    """From `was` to `now`; none if they are the same."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in sorted(was.keys() | now.keys()):
            yield from differences(was.get(name, ABSENT), now.get(name, ABSENT), f"{path}/{_escaped(name)}")
    elif isinstance(was, list) and isinstance(now, list):
        yield from _of_lists(was, now, path)
    elif was is ABSENT or now is ABSENT or canonical(was) != canonical(now):
        yield Difference(path, was, now)


def _of_lists(was: list[Json], now: list[Json], path: str) -> Iterator[Difference]:
    if len(was) == len(now):
        for index, pair in enumerate(zip(was, now, strict=True)):
            yield from differences(*pair, f"{path}/{index}")
        return
    old, new = ([canonical(item) for item in items] for items in (was, now))
    for _, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        both = min(end - start, new_end - new_start)
        for n in range(both):
            yield from differences(was[start + n], now[new_start + n], f"{path}/{new_start + n}")
        for item in was[start + both : end]:
            yield Difference(f"{path}/{new_start + both}", item, ABSENT)
        for index in range(new_start + both, new_end):
            yield Difference(f"{path}/{index}", ABSENT, now[index])


def applied(value: Json, changes: Sequence[Difference]) -> Json:
    """A copy of `value` with the changes. ValueError if what a change says was there is not."""
    root = {"": copy.deepcopy(value)} if value is not ABSENT else {}
    for change in changes:
        holder, steps = root, ["", *(_unescaped(name) for name in change.path.split("/")[1:])]
        try:
            for step in steps[:-1]:
                holder = holder[_place(holder, step)]
            _apply(holder, _place(holder, steps[-1]), change)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"{change} does not fit what stood before it: {error}") from error
    return root.get("", ABSENT)


def _apply(holder: Any, place: Any, change: Difference) -> None:
    if change.was is ABSENT:
        if isinstance(holder, list):
            if place > len(holder):
                raise ValueError(f"the list has {len(holder)} items")
            holder.insert(place, change.now)
            return
        if place in holder:
            raise ValueError("it stands there already")
    elif canonical(holder[place]) != canonical(change.was):
        raise ValueError(f"there stood {canonical(holder[place])[:SHOWN]}")
    if change.now is ABSENT:
        del holder[place]
    else:
        holder[place] = copy.deepcopy(change.now)


def _place(holder: Any, step: str) -> Any:
    return int(step) if isinstance(holder, list) else step


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _shown(was: Json, now: Json) -> tuple[str, str]:
    """Both values as text, long ones cut around the place where they part."""
    texts = ["" if value is ABSENT else canonical(value) for value in (was, now)]
    same = next((n for n, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    start = max(0, same - SHOWN // 4) if max(map(len, texts)) > SHOWN else 0
    cut = [("…" if start else "") + text[start : start + SHOWN] for text in texts]
    ends = ["…" if len(text) > start + SHOWN else "" for text in texts]
    return cut[0] + ends[0], cut[1] + ends[1]
