"""A call that arrives twice, one of which the portal keeps only a part, files that cannot be had by their links."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.avro.records import Attachment
from hub.connect.portal import Item, make_portal
from hub.errors import Retryable
from hub_connectors.national_portal.tests.site import national_site
from hub_connectors.simulation.faults import FaultOrder, FaultPlan
from tests.support.contract_events import changed, dossier_items

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


def _with(papers: list[Attachment], items: list[Item]) -> list[Item]:
    return [changed(item, dossier={"attachments": tuple(papers)}) for item in items]


async def test_dead_links_are_told_and_the_dossier_is_sent_all_the_same(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        portal = make_portal(site.subscriber(file_hosts=["127.0.0.1"], file_timeout_s=2))
        await portal.open()
        urls = (f"{site.url}/_admin/faults", f"{site.url}/no-such-file", "https://elsewhere.test/x", None)
        papers = [Attachment(id=f"F-{n}", name="x", url=url, result=n % 2 == 1) for n, url in enumerate(urls)]
        answer = await portal.deliver(_with(papers, dossier_items(CODE, 1)))
        await portal.close()
        assert answer.detail["unreachable"] == "1 of 2 links: F-1 http_404"
        assert answer.detail["sent"] == "add"


async def test_the_file_that_cannot_be_had_is_named_and_tried_again_with_the_next_delivery(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        portal = make_portal(site.subscriber(file_hosts=["127.0.0.1"]))
        await portal.open()
        papers = [Attachment(id=name, name="x", url=f"{site.url}/downloadfile/{name}") for name in ("F-1", "F-2")]
        items = _with(papers, dossier_items(CODE, 2))
        site.app.plan.order(FaultOrder(force=("unreachable_link",)))
        first = await portal.deliver(items[:1])
        second = await portal.deliver(items[1:])
        await portal.close()
        assert site.app.plan.counts == {"unreachable_link": 1}
        assert first.detail["unreachable"].startswith("1 of 2 links: F-")
        assert first.detail["unreachable"].endswith(" connect")
        assert first.text.startswith("files out of reach, 1 of 2 links: F-")
        assert (first.detail["sent"], second.detail["sent"]) == ("add", "update")
        assert "unreachable" not in second.detail


async def test_eleven_dead_links_are_told_as_ten_and_one_more(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        portal = make_portal(site.subscriber(file_hosts=["127.0.0.1"]))
        await portal.open()
        papers = [Attachment(id=f"F-{n:02}", name="x", url=f"{site.url}/gone/{n}") for n in range(11)]
        answer = await portal.deliver(_with(papers, dossier_items(CODE, 1)))
        await portal.close()
        assert answer.detail["unreachable"].startswith("11 of 11 links: F-00 http_404, F-01 http_404,")
        assert answer.detail["unreachable"].endswith("F-09 http_404 and 1 more")


def test_calls_for_files_change_nothing_in_the_draw_of_the_other_faults() -> None:
    order = FaultOrder(kinds=("reset", "unreachable_link", "html"), rate=0.5, seed=4)
    alone, mixed = FaultPlan(), FaultPlan()
    for plan in (alone, mixed):
        plan.order(order)
    told = [alone.draw() for _ in range(50)]
    files = []
    again = []
    for _ in range(50):
        files.append(mixed.draw_file())
        again.append(mixed.draw())
    assert again == told
    assert set(told) == {None, "reset", "html"}
    assert set(files) == {None, "unreachable_link"}
    assert mixed.counts["unreachable_link"] == files.count("unreachable_link")
