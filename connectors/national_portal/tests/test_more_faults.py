"""A call that arrives twice, one of which the portal keeps only a part, files that cannot be had by their links."""

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


async def test_dead_links_are_told_and_the_dossier_is_sent_all_the_same(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        portal = make_portal(site.subscriber(file_hosts=["127.0.0.1"], file_timeout_s=2))
        await portal.open()
        items = dossier_items(CODE, 1)
        paper = {"name": "x", "component_code": None, "digitised": None}
        urls = (f"{site.url}/_admin/faults", f"{site.url}/no-such-file", "https://elsewhere.test/x", None)
        items[0].data["dossier"]["attachments"] = [
            {**paper, "id": f"F-{n}", "url": url, "result": n % 2 == 1} for n, url in enumerate(urls)
        ]
        answer = await portal.deliver(items)
        await portal.close()
        assert answer.detail["unreachable"] == "1 of 2 links: http_404"
        assert answer.detail["sent"] == "add"
