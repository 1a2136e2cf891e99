"""Some hundred damaged files, each with the verdict of an oracle that does not know the hub."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from hub.untyped import JsonObject
from tests.support import damaged_files, drop_oracle
from tests.support.file_drop import MAPPING, Site

COUNT = 200


def oracle(folder: Path) -> dict[str, JsonObject]:
    """Its word on every file but the bombs, whose is known."""
    limits = damaged_files.LIMITS["max_memory_mb"] * 2**20, damaged_files.LIMITS["max_unpacked_bytes"]
    command = [sys.executable, drop_oracle.__file__, str(folder), *map(str, limits)]
    found: dict[str, JsonObject] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


def sorted_out(root: Path, count: int, seed: int) -> tuple[dict[str, Path], dict[str, JsonObject]]:
    """The files by kind in folders of their own, and what must come of each."""
    folders = {kind: root / kind for kind in ("csv", "xlsx", "bombs")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    for name, content in damaged_files.files(count, seed):
        kind = "bombs" if "bomb" in name else name.rpartition(".")[2]
        (folders[kind] / name).write_bytes(content)
    expected = oracle(folders["csv"]) | oracle(folders["xlsx"])
    for path in folders["bombs"].iterdir():
        codes = damaged_files.BOMB_CODES[path.stem.rpartition("-")[2]]
        expected[path.name] = {"whole": False, "codes": codes}
    return folders, expected


def move_in(folders: dict[str, Path], site: Site, source: str = "") -> tuple[Path, Path]:
    """Into two agencies' folders: of CSV and of workbooks."""
    mapping = MAPPING.replace("urn:vn:gov:H11.12:motcua", source) if source else MAPPING
    books = site.add("sheets", mapping + '[file]\nformat = "xlsx"\n')
    for kind, folder in (("csv", site.folder), ("xlsx", books), ("bombs", books)):
        for path in folders[kind].iterdir():
            path.rename(folder / path.name)
    return site.folder, books


@pytest.mark.timeout(600)
async def test_each_damaged_file_has_its_verdict_and_only_itself(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub", **damaged_files.LIMITS)
    folders, expected = sorted_out(tmp_path, COUNT, seed=16)
    assert {one["whole"] for one in expected.values()} == {True, False}
    inboxes = move_in(folders, site)
    before = resident()
    found = await site.drain(lambda: not any(any(folder.iterdir()) for folder in inboxes), rows=500, bound_s=500)
    grown = resident() - before
    came: dict[str, JsonObject] = defaultdict(lambda: {"whole": True, "codes": []})
    for batch in found:
        state = batch.cursor["state"]
        came[state.file_name]["codes"] += [event.envelope.subject for event in batch.events]
        came[state.file_name]["whole"] &= not state.failed
    wrong = {name: (one, came.get(name)) for name, one in expected.items() if one != came.get(name)}
    assert not wrong
    assert len(came) == COUNT
    for name, one in expected.items():
        folder = site.places.results / ("sheets" if name.endswith("xlsx") else site.folder.name)
        assert (folder / ("done" if one["whole"] else "failed") / name).exists(), name
    assert grown < 40_000, f"KiB more after {COUNT} files"


def resident() -> int:
    """KiB that this process holds."""
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])
