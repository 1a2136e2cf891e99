"""Damaged files in two agencies' folders, and what must come of each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from hub.untyped import JsonObject
from tests.support import damaged_files, drop_oracle
from tests.support.file_drop import MAPPING, Site


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
