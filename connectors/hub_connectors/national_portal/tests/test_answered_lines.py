"""A later call of a sequence of lines fails: what was answered before is told, and the rest alone goes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hub.connect.portal import Item, Portal, make_portal
from hub.errors import Retryable
from hub.events.envelope import ORIGIN
from hub_connectors.national_portal.portal import PORTAL
from hub_connectors.national_portal.tests.site import NationalSite, national_site
from hub_connectors.simulation.faults import FaultOrder
from tests.support.contract_events import dossier_event_of, dossier_items, dossier_of

CODE = "H11.12-260302-0001"
BEFORE = ("none", "none", "none")
"""Login, look-up, dossier."""


@asynccontextmanager
async def opened(site: NationalSite, **settings: Any) -> AsyncIterator[Portal]:
    portal = make_portal(site.subscriber(**settings))
    await portal.open()
    try:
        yield portal
    finally:
        await portal.close()


@pytest.mark.parametrize("mode", ["append", "replace", "dedupe"])
@pytest.mark.parametrize(("fault", "doubled"), [("http_500", 0), ("dropped_reply", 2), ("partial_batch", 1)])
async def test_the_rest_goes_on_behind_what_was_answered(tmp_path: Path, mode: str, fault: str, doubled: int) -> None:
    """Six lines, two a call; the third call fails. Only its own lines can come twice, if it was carried out."""
    async with national_site(tmp_path, progress_mode=mode) as site, opened(site, lines_per_call=2) as portal:
        items = dossier_items(CODE, 6)
        site.app.plan.order(FaultOrder(force=(*BEFORE, "none", "none", fault)))
        with pytest.raises(Retryable):
            await portal.deliver(items)
        assert portal.answered == 4
        await portal.deliver(items[portal.answered :])
        site.check(items)
        assert site.doubled() == doubled


async def test_ten_a_call_by_default(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site, opened(site) as portal:
        items = dossier_items(CODE, 12)
        site.app.plan.order(FaultOrder(force=(*BEFORE, "none", "reset")))
        with pytest.raises(Retryable):
            await portal.deliver(items)
        assert portal.answered == 10
        await portal.deliver(items[10:])
        assert site.rows("SELECT count(*) FROM progress_lines") == [(12,)]


async def test_nothing_is_answered_where_the_first_call_fails_and_what_was_is_forgotten(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site, opened(site, lines_per_call=2) as portal:
        items = dossier_items(CODE, 4)
        for force, answered in (((*BEFORE, "none", "http_500"), 2), (("none", "none", "http_500"), 0), (("reset",), 0)):
            site.app.plan.order(FaultOrder(force=force))
            with pytest.raises(Retryable):
                await portal.deliver(items)
            assert portal.answered == answered, force


async def test_events_without_a_line_are_counted_with_those_before_them(tmp_path: Path) -> None:
    """The second came from the portal itself, the fourth has no line by setting."""
    settings = {"lines_per_call": 1, "no_line_for": ["SUPPLEMENT_GIVEN"]}
    async with national_site(tmp_path) as site, opened(site, **settings) as portal:
        items = dossier_items(CODE, 6)
        items[1] = replace(items[1], envelope=items[1].envelope._replace(extensions={ORIGIN: PORTAL}))
        for before, lines, answered in ((BEFORE, 1, 2), (BEFORE[1:], 2, 4), (BEFORE[1:], 3, 5)):
            site.app.plan.order(FaultOrder(force=(*before, *["none"] * lines, "http_500")))
            with pytest.raises(Retryable):
                await portal.deliver(items)
            assert portal.answered == answered


async def test_the_event_that_carries_the_newest_state_stays_in_the_rest(tmp_path: Path) -> None:
    """Else the rest would be sent with an older state than stands there."""
    items = dossier_items(CODE, 4)
    replayed = replace(items[1], data=structs.replace(dossier_event_of(items[1]), dossier=dossier_of(items[3])))
    async with national_site(tmp_path) as site, opened(site, lines_per_call=1) as portal:
        site.app.plan.order(FaultOrder(force=(*BEFORE, "none", "http_500")))
        with pytest.raises(Retryable):
            await portal.deliver([replayed, items[2]])
        assert portal.answered == 0


async def test_it_is_known_where_the_call_is_cut_off(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site, opened(site, lines_per_call=2, timeout_s=60) as portal:
        items: list[Item] = dossier_items(CODE, 4)
        site.app.plan.order(FaultOrder(force=(*BEFORE, "none", "hang"), hang_s=60))
        task = asyncio.create_task(portal.deliver(items))
        while site.app.plan.counts["hang"] == 0:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert portal.answered == 2
