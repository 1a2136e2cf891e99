"""The portal contract, for each way in which the portal may keep progress lines, and through the wrapper."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from connectors.national_portal.tests.site import NationalSite, national_site
from hub.access.control import Subscriber
from tests.contract.portal_suite import PortalContract


class TestAppending(PortalContract):
    def site(self, folder: Path) -> AbstractAsyncContextManager[NationalSite]:
        return national_site(folder, progress_mode="append")


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
