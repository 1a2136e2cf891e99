"""docs/rooms.md is held to the code: every room, its role, the layers, and folders of the connectors' page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from hub.supervisor.roles import ROLES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "rooms.md").read_text("utf-8")
ROOMS = {path.parent.name for path in (ROOT / "hub").glob("*/__init__.py")}
ROWS = re.findall(r"^\| `(\w+)` \| (.+) \| (.*?) ?\|$", PAGE.split("\n## ", 1)[0], re.MULTILINE)


def layers() -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (rooms,) = [contract for contract in contracts if contract.get("containers") == ["hub"]]
    return list(rooms["layers"])


def test_the_page_has_every_room_once_and_no_other() -> None:
    assert sorted(name for name, _, _ in ROWS) == sorted(ROOMS)


def test_the_page_names_the_room_of_every_role() -> None:
    told = {role.strip("`").partition("<")[0]: room for room, _, role in ROWS if role}
    assert told == {role.name: role.module.split(".")[1] for role in ROLES}


def test_the_layers_of_the_page_are_those_that_are_held() -> None:
    block = PAGE.split("## The arrows", 1)[1].split("```")[1]
    assert block.strip().splitlines() == layers()


def test_the_drawing_in_readme_shows_rooms() -> None:
    drawing = (ROOT / "README.md").read_text("utf-8").split("```mermaid", 1)[1].split("```", 1)[0]
    box = drawing.split("subgraph", 1)[1].split("\n    end\n", 1)[0]
    shown = {word for label in re.findall(r'\["(.+?)"\]', box) for word in label.partition("<br/>")[0].split(" · ")}
    assert {"gateway", "core", "delivery"} <= shown
    assert shown - ROOMS == {"dead letters"}


def test_every_room_says_what_it_is() -> None:
    for room in ROOMS:
        assert (ROOT / "hub" / room / "__init__.py").read_text("utf-8").startswith('"""'), room


def test_the_page_of_the_connectors_has_every_folder_and_no_other() -> None:
    page = (ROOT / "connectors" / "README.md").read_text("utf-8")
    folders = {path.parent.name for path in (ROOT / "connectors" / "hub_connectors").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == folders
