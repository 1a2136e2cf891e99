"""The files of the frozen comparison: what was recorded, what was changed since, what the tree makes now."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.frozen import parts
from tests.frozen.differences import ABSENT, Difference, Json, applied, canonical, differences

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
HASHES = HERE / "recorded.sha256"
CHANGES = HERE / "changes"
TABLE = HERE / "CHANGES.md"
ID = re.compile(r"C\d{3}")
_LINE = re.compile(r"^\| *(C\d{3}) *\|([^|]*)\|([^|]*)\|([^|]*)\| *$", re.MULTILINE)

Files = dict[str, Json]
"""By "part/stem"."""


def part_names() -> list[str]:
    return sorted(found.name for found in pkgutil.iter_modules(parts.__path__) if not found.name.startswith("_"))


@cache
def made(part: str) -> Files:
    """What the tree makes of a part's inputs now."""
    outputs: dict[str, Any] = importlib.import_module(f"{parts.__name__}.{part}").outputs()
    return {f"{part}/{stem}": json.loads(canonical(value)) for stem, value in outputs.items()}


def recorded() -> Files:
    return {_name(path): json.loads(path.read_text("utf-8")) for path in sorted(RECORDED.rglob("*.json"))}


def _name(path: Path) -> str:
    return path.relative_to(RECORDED).with_suffix("").as_posix()


def change_ids() -> list[str]:
    return sorted(path.stem for path in CHANGES.glob("*.json"))


def entries(change: str) -> list[dict[str, Json]]:
    """Of one overlay, as they stand in its file."""
    found: list[dict[str, Json]] = json.loads((CHANGES / f"{change}.json").read_text("utf-8"))
    return found


def expected(before: str | None = None) -> Files:
    """The recorded files overlaid by all changes in order of id. before: only by those with a lower id.

    ValueError if an overlay does not fit what stands before it."""
    files = recorded()
    for change in change_ids():
        if before is not None and change >= before:
            break
        for entry in entries(change):
            name = entry["file"]
            try:
                value = applied(files.get(name, ABSENT), [Difference.of_json(entry)])
            except ValueError as error:
                raise ValueError(f"{change}: {name}: {error}") from None
            if value is ABSENT:
                del files[name]
            else:
                files[name] = value
    return files


def compare(part: str, wanted: Files) -> Iterator[tuple[str, Difference]]:
    """(file, difference) of one part: from `wanted` to what the tree makes."""
    now = made(part)
    for name in sorted(now.keys() | {own for own in wanted if own.startswith(f"{part}/")}):
        for difference in differences(wanted.get(name, ABSENT), now.get(name, ABSENT)):
            yield name, difference


def table_lines() -> dict[str, list[str]]:
    """By id: what, why, how a running hub migrates. As CHANGES.md says."""
    found = _LINE.findall(TABLE.read_text("utf-8"))
    return {id: [cell.strip() for cell in cells] for id, *cells in found}


def hashes() -> dict[str, str]:
    """By file below recorded/, from the list that is written with them."""
    lines = HASHES.read_text("utf-8").splitlines() if HASHES.exists() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def present_hashes() -> dict[str, str]:
    """By file below recorded/, of the files as they are."""
    files = (path for path in sorted(RECORDED.rglob("*")) if path.is_file())
    return {path.relative_to(RECORDED).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def record(names: list[str]) -> int:
    """Write what the tree makes of these parts as recorded; returns how many files. Their old files go."""
    count = 0
    for part, files in {part: made(part) for part in names}.items():
        for path in sorted((RECORDED / part).rglob("*.json")):
            path.unlink()
        for name, value in files.items():
            path = RECORDED / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pretty(value), "utf-8")
            count += 1
    HASHES.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(present_hashes().items())), "utf-8")
    return count


def accept(change: str, names: list[str]) -> int:
    """Write the present differences of these parts as the overlay of a change; returns how many.

    The same id may be written again as long as no later one exists."""
    wanted = expected(before=change)
    found = [{"file": name, **own.as_json()} for part in names for name, own in compare(part, wanted)]
    CHANGES.mkdir(exist_ok=True)
    (CHANGES / f"{change}.json").write_text(pretty(found), "utf-8")
    return len(found)


def pretty(value: Json) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
