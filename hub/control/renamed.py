"""Reads the old name of a connector's kind and says the new one.

A kind is an interface: it stands in control records, in operators' scripts and in their notes. An old name is read for
one version, here and nowhere else; a record that holds it is written with the new name at its next change.
"""

from __future__ import annotations

import logging
from functools import cache

log = logging.getLogger(__name__)

KINDS = {"provincial-portal": "webhook"}
"""Old name -> new name, of portals and of their simulators."""


def kind(name: str) -> str:
    """The kind's name of today; any other text stays as it is."""
    if name not in KINDS:
        return name
    _warn(name, KINDS[name])
    return KINDS[name]


@cache
def _warn(old: str, new: str) -> None:
    """Once a process: every record is read again and again."""
    log.warning("the kind %r is now called %r; the old name is read for one version more", old, new)
