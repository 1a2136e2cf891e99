"""Pieces of Python text, laid out as `ruff format` lays it out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

WIDTH = 120
NOTE = "Made by `make records` from schemas/; not edited by hand."


def snake(name: str) -> str:
    """`DossierStep` -> `dossier_step`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def quoted(text: str) -> str:
    """A string literal in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def docstring(text: str, indent: str = "") -> list[str]:
    """In three quotes, broken where it is long."""
    text = " ".join(text.replace("\\", "\\\\").replace('"""', "'''").split())
    text = text + " " if text.endswith('"') else text
    if len(indent) + len(text) + 6 <= WIDTH:
        return [f'{indent}"""{text}"""']
    wrapped = textwrap.wrap(text, WIDTH - len(indent) - 6, break_on_hyphens=False)
    return [f'{indent}"""{wrapped[0]}', *(indent + line for line in wrapped[1:]), f'{indent}"""']


def comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}" for line in textwrap.wrap(" ".join(text.split()), WIDTH - len(indent) - 2)]


def listed(begin: str, items: Iterable[str], end: str) -> list[str]:
    """One item a line."""
    return [begin, *(f"    {item}," for item in items), end]


def called(begin: str, arguments: str, indent: str = "") -> list[str]:
    """A call, its arguments on a line of their own where it is long."""
    line = f"{indent}{begin}({arguments})"
    return [line] if len(line) <= WIDTH else [f"{indent}{begin}(", f"{indent}    {arguments}", f"{indent})"]


def imported(module: str, names: Iterable[str]) -> list[str]:
    """An import, sorted as ruff sorts: constants, classes, functions."""
    found = sorted(set(names), key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name))
    if not found:
        return []
    line = f"from {module} import {', '.join(found)}"
    return [line] if len(line) <= WIDTH else listed(f"from {module} import (", found, ")")
