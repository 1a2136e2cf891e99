"""Filed online: for what is offered online it passes, for anything else it is a dead letter with the reason.

The levels and what each allows: NĐ 43/2011/NĐ-CP, the two kinds: NĐ 42/2022/NĐ-CP (docs/field/services.md).
"""

from __future__ import annotations

from typing import Any

import pytest

from hub.config import Settings
from hub.core.catalogue_copy import CatalogueCopy
from hub.core.step import make_step
from hub.events import families
from hub.kafka.topics import PROCEDURES, SERVICES
from tests.support.core import CODEC, DAY, T0, Core, record, step

PROCEDURE, SERVICE = "1.004194", "1.004194.01"


def catalogue(*changes: dict[str, Any], strict: bool = False) -> CatalogueCopy:
    """A copy of what the core makes of these changes, read as the follower reads it."""
    core = Core()
    for n, change in enumerate(changes):
        core.run(
            record(
                change,
                f"c{n}",
                families.SERVICE.published if "service_code" in change else families.PROCEDURE.published,
                offset=n,
            )
        )
    assert not core.dead
    copy = CatalogueCopy(CODEC, strict)
    for (store, key), stored in core.state.items():
        copy.apply(store, key, stored.value)
    return copy


def service(kind: str = "PUBLISHED", day: int = 0, **facts: Any) -> dict[str, Any]:
    return {"service_code": SERVICE, "change": kind, "occurred_at": T0 + day * DAY, **facts}


def procedure(kind: str, day: int) -> dict[str, Any]:
    return {"procedure_code": PROCEDURE, "change": kind, "occurred_at": T0 + day * DAY}


def filed(copy: CatalogueCopy, *steps: dict[str, Any]) -> Core:
    core = Core()
    core._step = make_step(CODEC, Settings(), copy.admit)
    return core.steps(*steps)


def online(day: int = 10, kind: str = "SUBMITTED", **facts: Any) -> dict[str, Any]:
    return step(kind, day, channel="ONLINE", procedure_code=PROCEDURE, **facts)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([service(level=1)], "offered at level 1; filing online needs level 3 or 4"),
        ([service(level=2)], "offered at level 2; filing online needs level 3 or 4"),
        ([service(level=4), service("WITHDRAWN", 9)], "its online service was withdrawn on 2026-01-14"),
        ([service(level=4), procedure("WITHDRAWN", 9)], "the procedure was withdrawn on 2026-01-14"),
        ([procedure("WITHDRAWN", 9)], "the procedure was withdrawn on 2026-01-14"),
    ],
)
def test_not_offered(changes: list[dict[str, Any]], said: str) -> None:
    (letter,) = filed(catalogue(*changes), online()).dead
    assert (letter.stage, letter.reason, letter.field) == ("core", "not_offered", "procedure_code")
    assert said in letter.detail
    assert PROCEDURE in letter.detail


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [service()],
        [service(level=3)],
        [service(level=4, whole_process=True)],
        [service(level=2), service("AMENDED", 1, whole_process=False)],
        [service("WITHDRAWN", 1), service("PUBLISHED", 2, level=4)],
        [service(level=4), service("WITHDRAWN", 11)],
        [service(level=4), procedure("WITHDRAWN", 11)],
        [service("PUBLISHED", 20, level=4)],
        [procedure("PUBLISHED", 0)],
        [{**service(level=2), "service_code": "1.009999.01"}],
    ],
)
def test_offered_or_not_known(changes: list[dict[str, Any]]) -> None:
    core = filed(catalogue(*changes), online())
    assert not core.dead
    assert len(core.events) == 1


def test_one_service_that_takes_filings_is_enough() -> None:
    second = {**service(level=4), "service_code": "1.004194.02"}
    assert not filed(catalogue(service(level=2), second), online()).dead


def test_strict_refuses_what_the_catalogue_does_not_know() -> None:
    (letter,) = filed(catalogue(strict=True), online()).dead
    assert "has no online service for it" in letter.detail


def test_a_service_is_found_by_the_procedure_it_names() -> None:
    copy = catalogue(service(level=2, procedure_code="2.002621.H56"))
    assert not filed(copy, online()).dead
    assert filed(copy, step("SUBMITTED", 1, channel="ONLINE", procedure_code="2.002621.H56")).dead


def test_only_what_begins_a_dossier_online_is_judged() -> None:
    copy = catalogue(service(level=2))
    assert not filed(copy, step("RECEIVED", 1, channel="DIRECT", procedure_code=PROCEDURE)).dead
    assert not filed(copy, step("RECEIVED", 1, procedure_code=PROCEDURE)).dead
    assert not filed(copy, step("RECEIVED", 1, procedure_code=PROCEDURE), online(2, "IN_PROCESS")).dead


def test_the_day_it_was_filed_counts_not_the_day_it_came() -> None:
    copy = catalogue(service(level=4), service("WITHDRAWN", 9))
    assert not filed(copy, online(12, "RECEIVED", submitted_at=T0 + 8 * DAY)).dead
    assert filed(copy, online(12, "RECEIVED", submitted_at=T0 + 10 * DAY)).dead


def test_replayed_after_the_service_was_published_it_passes() -> None:
    copy = catalogue(service(level=2))
    core = filed(copy, online())
    (letter,) = core.dead
    fresh = catalogue(service(level=2), service("AMENDED", 1, level=4))
    core._step = make_step(CODEC, Settings(), fresh.admit)
    core.run(record(online(), "e0", offset=9))
    assert [e.status for e in core.events] == ["NEW"]
    assert letter.value == record(online(), "e0").value


def test_the_copy_follows_removals_and_bears_what_it_cannot_read(caplog: pytest.LogCaptureFixture) -> None:
    copy = catalogue(service(level=2), procedure("WITHDRAWN", 1))
    copy.apply(SERVICES, SERVICE.encode(), b"\x00nonsense")
    assert "is not usable and was left out" in caplog.text
    assert filed(copy, online()).dead
    copy.apply(SERVICES, SERVICE.encode(), None)
    copy.apply(PROCEDURES, PROCEDURE.encode(), None)
    copy.apply(SERVICES, b"1.001111.01", None)
    assert len(copy) == 0
    assert not filed(copy, online()).dead
