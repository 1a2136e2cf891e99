"""A call that arrives twice, and one of which the portal keeps only a part: nothing is lost, doubles are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.national_portal.tests.site import national_site
from connectors.simulation.faults import FaultOrder
from hub.delivery.portal import make_portal
from hub.errors import Retryable
from tests.contract.events import dossier_items

CODE = "H11.12-260302-0001"


@pytest.mark.parametrize("mode", ["append", "replace", "dedupe"])
async def test_half_of_the_lines_are_kept_then_all_are_sent_again(tmp_path: Path, mode: str) -> None:
    async with national_site(tmp_path, progress_mode=mode) as site:
        portal = make_portal(site.subscriber())
        await portal.open()
        items = dossier_items(CODE, 6)
        site.app.plan.order(FaultOrder(force=("none", "none", "none", "partial_batch")))
        with pytest.raises(Retryable) as caught:
            await portal.deliver(items)
        assert caught.value.kind == "portal_error"
        lines = "SELECT thoi_diem_xu_ly FROM progress_lines ORDER BY id"
        assert len(site.rows(lines)) == 3
        await portal.deliver(items)
        await portal.close()
        site.check(items)
        assert site.doubled() == 3


@pytest.mark.parametrize("place", [1, 2, 3])
async def test_each_call_twice(tmp_path: Path, place: int) -> None:
    """1 look-up, 2 add (whose second arrival is told to exist), 3 lines."""
    async with national_site(tmp_path) as site:
        portal = make_portal(site.subscriber())
        await portal.open()
        items = dossier_items(CODE, 2)
        site.app.plan.order(FaultOrder(force=("none",) * place + ("duplicated",)))
        answer = await portal.deliver(items)
        await portal.close()
        assert site.app.plan.counts["duplicated"] == 1
        assert answer.detail["sent"] == ("update" if place == 2 else "add")
        site.check(items)
        assert site.doubled() == (2 if place == 3 else 0)
