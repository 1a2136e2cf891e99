"""The portal contract, for each way in which the portal may keep progress lines, and through the wrapper."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from hub.control.records import Subscriber
from hub_connectors.national_portal.tests.site import NationalSite, national_site
from tests.contract.portal_suite import CODE, PortalContract
from tests.support.contract_events import dossier_event_of, dossier_items, dossier_of


class TestAppending(PortalContract):
    def site(self, folder: Path) -> AbstractAsyncContextManager[NationalSite]:
        return national_site(folder, progress_mode="append")

    async def test_a_replayed_event_that_carries_a_newer_state_is_not_overtaken(self, tmp_path: Path) -> None:
        """A fold of event 2, replayed with the newest state (4), and event 3: what is sent is state 4."""
        items = dossier_items(CODE, 4)
        replayed = replace(items[1], data=structs.replace(dossier_event_of(items[1]), dossier=dossier_of(items[3])))
        async with self.site(tmp_path) as site, self.opened(site) as portal:
            await portal.deliver([replayed, items[2]])
            assert site.rows("SELECT trang_thai FROM dossiers") == [("4",)]
            lines = site.rows("SELECT trang_thai FROM progress_lines ORDER BY id")
            assert lines == [("4",), ("5",)]


class TestReplacing(PortalContract):
    def site(self, folder: Path) -> AbstractAsyncContextManager[NationalSite]:
        return national_site(folder, progress_mode="replace")


class TestDeduplicating(PortalContract):
    """And with one session a user: a login throws the sessions before it out."""

    def site(self, folder: Path) -> AbstractAsyncContextManager[NationalSite]:
        return national_site(folder, progress_mode="dedupe", one_session=True)


class _WrapperSite(NationalSite):
    calls_per_delivery = 3

    def subscriber(self, **settings: object) -> Subscriber:
        return super().subscriber(mode="wrapper", **settings)


class TestWrapper(PortalContract):
    def site(self, folder: Path) -> AbstractAsyncContextManager[NationalSite]:
        return national_site(folder, site=_WrapperSite)
