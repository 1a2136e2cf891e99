"""docs/commands.md is held to the code: every command, every exit code; README has the same codes."""

from __future__ import annotations

import re
from pathlib import Path

from hub import exit_codes
from hub.cli.main import COMMANDS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
CODES = {name: value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}


def test_the_page_has_every_command_and_no_other() -> None:
    assert {row.split()[0] for row in re.findall(r"^\| `([^`]+)`", PAGE, re.MULTILINE)} == set(COMMANDS)


def test_the_page_has_every_exit_code_and_no_other() -> None:
    rows = re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", PAGE, re.MULTILINE)
    assert {name: int(code) for code, name in rows} == CODES


def test_readme_has_every_exit_code() -> None:
    (line,) = re.findall(r"Exit codes: (.+?)\n\n", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert {int(code) for code in re.findall(r"(?:^|, )(\d+) ", line.replace("\n", " "))} == set(CODES.values())
