"""A dossier among those it is handled with (liên thông): its parent, its parts, and who held it from when to when.

Rows are documents, as in `hub.readmodel.queries`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from hub.events import families
from hub.model import codes
from hub.readmodel.tables import Generation
from hub.untyped import JsonObject

MAX_PARTS = 200
"""Shown of one dossier: anybody who may write a dossier may name any parent."""


def around(
    connection: Connection,
    g: Generation,
    dossier: Mapping[str, Any],
    events: Iterable[JsonObject],
    closed: Iterable[str],
) -> JsonObject:
    """{parent, parts, transfers}. parent: None, or as a part; all but its `key` None while nothing is known of it.
    parts: [{key, status, status_at, procedure_code, agency_code, received_at, due_at, finished_at}], by code.
    transfers: see `transfers`. closed: statuses after which nobody works on a dossier."""
    d = g.dossiers
    columns = (d.c.key, d.c.status, d.c.status_at, d.c.procedure_code, d.c.agency_code)
    line = select(*columns, d.c.received_at, d.c.due_at, d.c.finished_at).where(d.c.family == families.DOSSIER.name)
    parts = connection.execute(line.where(d.c.parent_code == dossier["key"]).order_by(d.c.key).limit(MAX_PARTS))
    found = [dict(row) for row in parts.mappings()]
    parent, code = None, dossier["parent_code"]
    if code is not None:
        known = connection.execute(line.where(d.c.key == code)).mappings().first()
        parent = dict(known) if known else {column.name: None for column in line.selected_columns} | {"key": code}
    ended = dossier["status_at"] if dossier["status"] in closed else None
    return {"parent": parent, "parts": found, "transfers": transfers(dossier["key"], events, ended)}


def transfers(code: str, events: Iterable[JsonObject], ended: int | None) -> list[JsonObject]:
    """[{from_agency, to_agency, since, due_at, until}] in event time. The first is from the agency in the code.

    due_at: None where none was told. until: the next transfer, or the moment the dossier `ended` if that came later;
    None of the agency that holds it now.
    """
    steps = sorted((e for e in events if e["transferred_to"]), key=lambda e: (e["occurred_at"], e["hub_seq"]))
    if not steps:
        return []
    out: list[JsonObject] = []
    holder = codes.agency(code.partition("-")[0]).normal
    for step in steps:
        to, since = step["transferred_to"], step["occurred_at"]
        out.append(
            {"from_agency": holder, "to_agency": to, "since": since, "due_at": step["step_due_at"], "until": None}
        )
        holder = to
    for one, after in pairwise(out):
        one["until"] = after["since"]
    if ended is not None and ended >= out[-1]["since"]:
        out[-1]["until"] = ended
    return out
