"""The table of a delivery's moves: what is not in it is refused, the page tells the same, and nobody goes round it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hub.delivery.partition.states import TABLE, Move, MoveRefused, State, checked

ROOT = Path(__file__).parents[3]

WRITES_OF_OTHERS = {
    "attempt.py": set[str](),
    "workers.py": {"worker.portal", "worker.generation"},
    "monitor.py": {"worker.portal"},
    "role.py": {"context.subscriber", "context.limits", "context.breaker.on_close"},
    "partition/owner.py": {"settlement.done"},
    "partition/dossier.py": {"one._state", "one._wait", "one._stored"},
}
"""Attributes that a file of delivery sets on what is not `self`: connections, the control record, what it just made."""


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("move", list(Move))
def test_only_what_the_table_has_is_done(state: State, move: Move) -> None:
    for to in State:
        if to in TABLE.get((state, move), ()):
            assert checked(state, move, to) is to
        else:
            with pytest.raises(MoveRefused, match=re.escape(f"that is {state} cannot {move} to {to}")):
                checked(state, move, to)


def test_the_page_has_the_same_table() -> None:
    page = (ROOT / "docs/delivery.md").read_text("utf-8")
    section = page.partition("## States")[2].partition("## ")[0]
    rows = re.findall(r"^\| ([a-z ,-]+) \| ([a-z -]+) \| ([a-z ,-]+) \|", section, re.MULTILINE)
    told = {
        (State(state), Move(move)): {State(to) for to in tos.split(", ")}
        for states, move, tos in rows
        if states != "from"
        for state in (list(State) if states == "any" else states.split(", "))
    }
    assert told == {which: set(tos) for which, tos in TABLE.items()}


def test_nobody_sets_what_is_not_its_own() -> None:
    """The state of a partition was written from twelve lines of other files once."""
    folder = ROOT / "hub/delivery"
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            foreign = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)
            if foreign and not ast.unparse(node).startswith("self."):
                found.setdefault(str(path.relative_to(folder)), set()).add(ast.unparse(node))
    assert found == {name: writes for name, writes in WRITES_OF_OTHERS.items() if writes}


def test_nobody_reaches_into_an_owner() -> None:
    """No private name of the owner's rooms is used by another file."""
    for path in sorted((ROOT / "hub/delivery").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr):
                base = ast.unparse(node.value)
                assert base in ("self", "cls") or (path.name, base) == ("dossier.py", "one"), (
                    f"{path.name}: {base}.{node.attr}"
                )
