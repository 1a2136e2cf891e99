"""Whether this process runs compiled modules or plain Python, and which. What is compiled: `setup.py`."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from importlib.machinery import EXTENSION_SUFFIXES
from types import ModuleType


def state() -> str:
    """Says how the loaded modules of the hub run: `plain Python`, or `compiled: ROOM (MODULE, …), …`."""
    return told(list(sys.modules.values()))


def told(modules: Iterable[ModuleType]) -> str:
    """Says how these modules run; what is not the hub's is not looked at."""
    rooms: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        package, _, path = module.__name__.partition(".")
        if package == "hub" and (getattr(module, "__file__", None) or "").endswith(tuple(EXTENSION_SUFFIXES)):
            room, _, name = path.partition(".")
            rooms[room].append(name)
    if not rooms:
        return "plain Python"
    return "compiled: " + ", ".join(f"{room} ({', '.join(sorted(names))})" for room, names in sorted(rooms.items()))
