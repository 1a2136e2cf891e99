"""Online services: which procedure is offered online, at which level, where, since when, and how much it is used.

Shares are those that QĐ 766 scores (docs/field/score.md): 3.1 procedures offered online, 3.3 dossiers filed online.
Computed from the read model's states; `table` is pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine, func, select

from hub.avro.document import from_document
from hub.avro.record import R
from hub.avro.records import OnlineService, Procedure
from hub.events import families
from hub.model.online_services import Offer
from hub.readmodel import tables

WHOLE, PART, UNTOLD = "toàn trình", "một phần", "not told"


@dataclass(frozen=True, slots=True)
class Line:
    """One procedure. published: the catalogue has it; False if only services or dossiers name it. active: it is public
    now. level: the highest offered, None if not told or not offered. kind: toàn trình, một phần, not told, or "" if not
    offered. since: epoch ms of the earliest offer that stands. dossiers, online: filed at all, of them online."""

    code: str
    name: str
    published: bool
    active: bool
    offered: bool
    level: int | None
    kind: str
    portals: tuple[str, ...]
    services: tuple[str, ...]
    since: int | None
    dossiers: int
    online: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts are of procedures that are public now, unless said otherwise; shares are 0 to 1, None of nothing.

    stray: services offered for a procedure that is withdrawn. unpublished: procedures that only services or dossiers
    name. dossiers, online: of all procedures.
    """

    procedures: int
    offered: int
    share_offered: float | None
    by_level: Mapping[str, int]
    by_kind: Mapping[str, int]
    by_portal: Mapping[str, int]
    stray: tuple[str, ...]
    unpublished: tuple[str, ...]
    dossiers: int
    online: int
    share_online: float | None
    lines: tuple[Line, ...] = field(repr=False)


def table(
    procedures: Iterable[Procedure], services: Iterable[OnlineService], use: Mapping[str, tuple[int, int]]
) -> Coverage:
    """use: procedure code -> (dossiers, of them online). A procedure that only services or dossiers name has a line
    too, and is not public: nobody published it."""
    states = {procedure.procedure_code: procedure for procedure in procedures}
    offers: dict[str, list[OnlineService]] = {}
    for service in services:
        if service.active:
            offers.setdefault(_procedure_of(service), []).append(service)
    lines = [_line(code, states.get(code), offers.get(code, []), use.get(code, (0, 0)))
             for code in sorted({*states, *offers, *use})]  # fmt: skip
    public = [line for line in lines if line.active]
    offered = [line for line in public if line.offered]
    dossiers, online = sum(line.dossiers for line in lines), sum(line.online for line in lines)
    return Coverage(
        procedures=len(public),
        offered=len(offered),
        share_offered=len(offered) / len(public) if public else None,
        by_level=_counts(str(line.level or UNTOLD) for line in offered),
        by_kind=_counts(line.kind for line in offered),
        by_portal=_counts(portal for line in offered for portal in line.portals),
        stray=tuple(service for line in lines if line.published and not line.active for service in line.services),
        unpublished=tuple(line.code for line in lines if not line.published),
        dossiers=dossiers,
        online=online,
        share_online=online / dossiers if dossiers else None,
        lines=tuple(lines),
    )


def _procedure_of(service: OnlineService) -> str:
    return service.procedure_code or service.service_code.rpartition(".")[0]


def _counts(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _takes_filings(service: OnlineService) -> bool:
    return Offer(service.active, service.active_since, service.level, service.whole_process).takes_filings


def _line(code: str, procedure: Procedure | None, services: list[OnlineService], use: tuple[int, int]) -> Line:
    """Services of level 1 and 2 only inform: with nothing else, the procedure is not offered online."""
    taking = [service for service in services if _takes_filings(service)]
    levels = [service.level for service in taking if service.level is not None]
    kinds = {service.whole_process for service in taking}
    since = [service.active_since for service in taking if service.active_since is not None]
    return Line(
        code=code,
        name=(procedure.name if procedure else None) or "",
        published=procedure is not None,
        active=procedure is not None and procedure.active,
        offered=bool(taking),
        level=max(levels, default=None),
        kind="" if not taking else WHOLE if True in kinds else PART if False in kinds else UNTOLD,
        portals=tuple(sorted({portal for service in taking for portal in service.channels})),
        services=tuple(sorted(service.service_code for service in services)),
        since=min(since, default=None),
        dossiers=use[0],
        online=use[1],
    )


def read(engine: Engine) -> Coverage:
    """Coverage as the read model stands now."""
    g = tables.current(engine)
    d = g.dossiers
    with engine.connect() as connection:

        def states(family: families.Family, record: type[R]) -> list[R]:
            found = connection.execute(select(d.c.state).where(d.c.family == family.name)).scalars()
            return [from_document(record, one) for one in found]

        channel = d.c.state["channel"].as_string()
        filed = select(d.c.procedure_code, channel, func.count()).where(d.c.family == families.DOSSIER.name)
        use: dict[str, tuple[int, int]] = {}
        for code, way, number in connection.execute(filed.group_by(d.c.procedure_code, channel)):
            if code is not None:
                total, online = use.get(code, (0, 0))
                use[code] = total + number, online + (number if way == "ONLINE" else 0)
        return table(states(families.PROCEDURE, Procedure), states(families.SERVICE, OnlineService), use)
