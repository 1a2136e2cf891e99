"""Names of files as agencies choose them, up to 255 bytes of anything: how they are told, and how results bear them."""

from __future__ import annotations

import hashlib
import os

LONGEST = 200
"""Bytes of a result's name: behind it come ~2, .rejected.csv, .reason.txt, .refused, and 255 is the system's limit."""
_LONGEST_SUFFIX = 20


def shown(name: str) -> str:
    """The name, if a person can read it; else with _ for what cannot be shown, and a mark that tells it from others."""
    if name.isprintable():
        return name
    return _marked("".join(c if c.isprintable() else "_" for c in name), name)


def result(name: str) -> str:
    """A name for its results: as shown, cut to LONGEST bytes between two letters, never hidden."""
    safe = shown(name)
    if safe.startswith("."):
        safe = "_" + safe[1:]
    return safe if len(safe.encode()) <= LONGEST else _marked(safe, name)


def _marked(text: str, name: str) -> str:
    """The beginning of the text, eight digits that stand for the whole name, and its suffix."""
    mark = "~" + hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    stem, suffix = os.path.splitext(text)
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, suffix = text, ""
    room = LONGEST - len(mark) - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + mark + suffix
