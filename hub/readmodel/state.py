"""The state of one dossier, as the read model holds it."""

from __future__ import annotations

from sqlalchemy import Engine, select

from hub.avro.document import from_document
from hub.avro.records import Dossier
from hub.events.families import DOSSIER
from hub.readmodel import tables


def dossier_of(engine: Engine, code: str) -> Dossier | None:
    """The record as in hub.dossiers; None if the read model does not know it (yet). DecodeError: what stands there is
    of a version that this one cannot read."""
    d = tables.current(engine).dossiers
    with engine.connect() as connection:
        found = connection.execute(select(d.c.state).where(d.c.key == code, d.c.family == DOSSIER.name)).scalar()
    return None if found is None else from_document(Dossier, found)
