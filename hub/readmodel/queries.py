"""What pages and the read API ask. Documents out: rows as plain dicts, made for JSON and templates; times as epoch
milliseconds UTC. Who works with a dossier as a datum reads its record (`hub.readmodel.state`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, RowMapping, String, case, func, or_, select
from sqlalchemy import cast as sql_cast

from hub.events import families
from hub.readmodel import joint_handling, tables
from hub.readmodel.tables import Generation
from hub.untyped import JsonObject


class ReadModel:
    """Read access to the current generation; a swap by `hub rebuild` is seen at the next call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """For what counts over whole tables (hub.reports.monthly_report)."""
        return self._engine

    def subject(self, key: str) -> JsonObject | None:
        """Everything about one dossier, procedure or service: {state columns, state, events, deliveries,
        dead_letters, discrepancies}; of a dossier {parent, parts, transfers} too (hub.readmodel.joint_handling).
        None when nothing at all is known of that code."""
        g = tables.current(self._engine)
        with self._engine.connect() as connection:

            def all_of(table: Any, *order: Any) -> list[JsonObject]:
                found = connection.execute(select(table).where(table.c.key == key).order_by(*order))
                return _plain(found.mappings().all())

            known = connection.execute(select(g.dossiers).where(g.dossiers.c.key == key)).mappings().first()
            events = all_of(g.events, g.events.c.hub_seq)
            deliveries = all_of(g.deliveries, g.deliveries.c.at, g.deliveries.c.partition, g.deliveries.c.offset)
            dead = all_of(g.dead_letters, g.dead_letters.c.at)
            discrepancies = all_of(g.discrepancies, g.discrepancies.c.opened_at)
            whole = (
                joint_handling.around(connection, g, dict(known), events, CLOSED)
                if known and known["family"] == families.DOSSIER.name
                else {}
            )
        if known is None and not (events or dead):
            return None
        return {
            **(dict(known) if known else {"key": key, "family": None, "state": None}),
            "events": events,
            "deliveries": deliveries,
            "dead_letters": dead,
            "discrepancies": discrepancies,
            **whole,
        }

    def search(self, text: str, limit: int = 50) -> list[JsonObject]:
        """Codes that contain the text, newest status first; an event id finds its dossier too."""
        g = tables.current(self._engine)
        d = g.dossiers
        by_event = select(g.events.c.key).where(or_(g.events.c.event_id == text, g.events.c.cause_id == text))
        pattern = "%" + text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        query = (
            select(d.c.key, d.c.family, d.c.status, d.c.status_at, d.c.procedure_code, d.c.agency_code, d.c.hub_seq)
            .where(or_(d.c.key.like(pattern, escape="\\"), d.c.key.in_(by_event)))
            .order_by(d.c.status_at.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return _plain(connection.execute(query).mappings().all())

    def connections(self) -> list[JsonObject]:
        """Per subscriber: {subscriber, delivered, attempts, retries, dead_lettered, last_success, last_error,
        last_error_kind}; counts are of delivery records, `delivered` of events."""
        g = tables.current(self._engine)
        t = g.deliveries
        failed = t.c.outcome.in_(("RETRY_SCHEDULED", "DEAD_LETTERED"))
        query = select(
            t.c.subscriber,
            func.count().label("attempts"),
            func.sum(case((t.c.outcome == "RETRY_SCHEDULED", 1), else_=0)).label("retries"),
            func.sum(case((t.c.outcome == "DEAD_LETTERED", 1), else_=0)).label("dead_lettered"),
            func.max(case((t.c.outcome == "DELIVERED", t.c.at))).label("last_success"),
            func.max(case((failed, t.c.at))).label("last_error"),
        ).group_by(t.c.subscriber)
        with self._engine.connect() as connection:
            found = _plain(connection.execute(query.order_by(t.c.subscriber)).mappings().all())
            for row in found:
                kinds = select(t.c.error_kind).where(t.c.subscriber == row["subscriber"], failed)
                row["last_error_kind"] = connection.execute(kinds.order_by(t.c.at.desc()).limit(1)).scalar()
        return found

    def totals(self, now_ms: int) -> JsonObject:
        """{dossiers, events, late_dossiers, by_status: {status: n}, discrepancies: [{subscriber, kind, n}]};
        late = past its appointment date and not finished."""
        g = tables.current(self._engine)
        d = g.dossiers
        with self._engine.connect() as connection:
            by_status = connection.execute(
                select(d.c.status, func.count()).where(d.c.family == families.DOSSIER.name).group_by(d.c.status)
            ).all()
            late = connection.execute(
                select(func.count())
                .select_from(d)
                .where(
                    d.c.family == families.DOSSIER.name,
                    d.c.due_at < now_ms,
                    d.c.status.not_in(CLOSED),
                    d.c.finished_at.is_(None),
                )
            ).scalar()
            events = connection.execute(select(func.count()).select_from(g.events)).scalar()
            open_ = connection.execute(
                _count(g, "discrepancies", "subscriber", "kind").where(g.discrepancies.c.healed_at.is_(None))
            )
            return {
                "dossiers": sum(n for _, n in by_status),
                "events": events or 0,
                "late_dossiers": late or 0,
                "by_status": {str(status): n for status, n in by_status},
                "discrepancies": _plain(open_.mappings().all()),
            }


CLOSED = ("NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED")


def _count(g: Generation, name: str, first: str, second: str) -> Any:
    table = getattr(g, name)
    a, b = sql_cast(table.c[first], String), sql_cast(table.c[second], String)
    columns = a.label(first), b.label(second), func.count().label("n")
    return select(*columns).group_by(a, b).order_by(func.count().desc())


def _plain(found: Sequence[RowMapping]) -> list[JsonObject]:
    return [dict(row) for row in found]
