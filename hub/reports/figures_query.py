"""From the read model's tables to what `figures` counts; SQLite and PostgreSQL. Dossiers are streamed, not held."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from hub.avro.document import from_document
from hub.avro.records import Dossier, OnlineService, Procedure
from hub.events import families
from hub.model import codes
from hub.model.catalogue import time_limits
from hub.readmodel.queries import CLOSED
from hub.readmodel.tables import Generation
from hub.reports.decision_dates import decided_at, public_since
from hub.reports.dossier_case import Case, Paper, Period, Step, in_time
from hub.reports.figures import ProcedureEntry, ServiceEntry

NO_AGENCY = "?"
"""Agency of a procedure that names none."""
_BATCH = 2_000


def cases(connection: Connection, g: Generation, period: Period, national: str, agency: str = "") -> Iterator[Case]:
    """Dossiers that can count in the period, ordered by code. national: the subscriber that is the national portal.

    agency: only this one, in the new form, and its parts. Left out are those received later, and those closed before.
    """
    d, e, sent = g.dossiers, g.events, g.deliveries
    delivered = exists().where(sent.c.key == d.c.key, sent.c.subscriber == national, sent.c.outcome == "DELIVERED")
    query = (
        select(d.c.key, d.c.agency_code, d.c.state, delivered.label("delivered"), e.c.occurred_at, e.c.step,
               e.c.correction)
        .join(e, and_(e.c.key == d.c.key, e.c.type == families.DOSSIER.event.type))
        .where(
            d.c.family == families.DOSSIER.name,
            or_(d.c.received_at.is_(None), d.c.received_at < period.end),
            or_(d.c.status.not_in(CLOSED), d.c.status_at >= period.start),
        )
        .order_by(d.c.key, e.c.hub_seq)
    )  # fmt: skip
    found = connection.execution_options(yield_per=_BATCH).execute(_of_agency(query, d, agency))
    for _, rows in groupby(found, key=lambda row: row.key):
        together = list(rows)
        own = _own(together[0])
        if not _is_of(own, agency):
            continue
        steps = in_time((row.occurred_at, row.step, row.correction) for row in together)
        yield _case(together[0], own, steps)


def _own(row: Any) -> str:
    """The agency that a dossier counts for: the one that it names, else the one in its code."""
    return str(row.agency_code or codes.dossier(row.key).agency)


def _is_of(own: str, agency: str) -> bool:
    """Whether an office is this one or a part of it; "" for all."""
    return not agency or codes.covers((agency,), own)


def _of_agency(query: Select[Any], table: Any, agency: str) -> Select[Any]:
    """The rule of `codes.covers` in SQL, as far as SQL can tell; the table holds codes in the new form.

    Whose a dossier is that names no agency, `_is_of` tells.
    """
    if not agency:
        return query
    own = table.c.agency_code
    return query.where(or_(own == agency, own.like(f"{agency}.%"), own.is_(None)))


def _case(row: Any, own: str, steps: tuple[Step, ...]) -> Case:
    dossier = from_document(Dossier, row.state)
    return Case(
        code=row.key,
        agency=own,
        procedure=dossier.procedure_code,
        channel=dossier.channel,
        received_at=dossier.received_at,
        due_at=dossier.due_at,
        finished_at=dossier.finished_at,
        steps=steps,
        papers=tuple(Paper(one.result, bool(one.url), one.digitised) for one in dossier.attachments),
        fee=any(fee.amount_vnd > 0 for fee in dossier.fees),
        online_payment=dossier.online_payment,
        vneid=dossier.applicant.vneid_verified if dossier.applicant else None,
        delivered=bool(row.delivered),
    )


def ratings(connection: Connection, g: Generation, period: Period, agency: str = "") -> list[tuple[str, str, int]]:
    """(dossier, its agency, 1 to 5) of every rating given in the period; of one dossier the last one counts."""
    d, e = g.dossiers, g.events
    query = (
        select(e.c.key, d.c.agency_code, e.c.rating)
        .join(d, d.c.key == e.c.key)
        .where(e.c.rating.is_not(None), e.c.occurred_at >= period.start, e.c.occurred_at < period.end)
        .order_by(e.c.occurred_at, e.c.hub_seq)
    )
    last = {r.key: (_own(r), r.rating) for r in connection.execute(_of_agency(query, d, agency))}
    return [(code, own, rating) for code, (own, rating) in sorted(last.items()) if _is_of(own, agency)]


def procedures(
    connection: Connection, g: Generation, complete: tuple[str, ...], agency: str = ""
) -> dict[str, ProcedureEntry]:
    """All procedures by code. complete: the fields that a full publication has. agency: whose procedures to list; the
    others are kept without being active, for their time limits."""
    d, e = g.dossiers, g.events
    first: dict[str, int] = {}
    moments: dict[str, list[int]] = {}
    published = (
        select(e.c.key, e.c.step, e.c.occurred_at)
        .join(d, and_(d.c.key == e.c.key, d.c.family == families.PROCEDURE.name))
        .where(e.c.step.in_(("PUBLISHED", "AMENDED")))
        .order_by(e.c.occurred_at)
    )
    for change in connection.execute(published):
        moments.setdefault(change.key, []).append(change.occurred_at)
        if change.step == "PUBLISHED":
            first.setdefault(change.key, change.occurred_at)
    out = {}
    for row in connection.execute(
        select(d.c.key, d.c.state).where(d.c.family == families.PROCEDURE.name).order_by(d.c.key)
    ):
        procedure = from_document(Procedure, row.state)
        own, decided = procedure.agency_code or NO_AGENCY, decided_at(procedure)
        out[row.key] = ProcedureEntry(
            code=row.key,
            agency=own,
            active=_is_of(own, agency) and procedure.active,
            published_at=first.get(row.key),
            effective_at=procedure.effective_at,
            lacking=tuple(name for name in complete if getattr(procedure, name, None) in (None, "", ())),
            limits=time_limits(
                (procedure.time_limit, procedure.time_limit_unit),
                *((way.time_limit, way.time_limit_unit) for way in procedure.time_limits or ()),
            ),
            decided_at=decided,
            public_since=None if decided is None else public_since(decided, moments.get(row.key, ())),
        )
    return out


def services(connection: Connection, g: Generation) -> list[ServiceEntry]:
    """Services offered now. One without a procedure code belongs to the procedure that its own code begins with."""
    d = g.dossiers
    query = select(d.c.key, d.c.state).where(d.c.family == families.SERVICE.name).order_by(d.c.key)
    every = [from_document(OnlineService, row.state) for row in connection.execute(query)]
    return [
        ServiceEntry(one.procedure_code or one.service_code.rpartition(".")[0], one.level, one.whole_process)
        for one in every
        if one.active
    ]
