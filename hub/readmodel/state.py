"""The state of one dossier, procedure or service, as the read model holds it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from hub.readmodel import tables


def state_of(engine: Engine, family: str, key: str) -> dict[str, Any] | None:
    """The record as in hub.dossiers and the like; None if the read model does not know it (yet)."""
    d = tables.current(engine).dossiers
    with engine.connect() as connection:
        found: dict[str, Any] | None = connection.execute(
            select(d.c.state).where(d.c.key == key, d.c.family == family)
        ).scalar()
    return found
