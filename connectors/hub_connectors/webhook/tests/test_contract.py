"""The portal contract for the webhook connector."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hub_connectors.webhook.tests.site import ProvincialSite, provincial_site
from tests.contract.portal_suite import EXPECTED, PortalContract


class TestWebhook(PortalContract):
    """A webhook is acknowledged by its status alone, so a page or an empty body with 200 is an acknowledgement."""

    answers_told_apart = EXPECTED
    acknowledged = 204

    def site(self, folder: Path) -> AbstractAsyncContextManager[ProvincialSite]:
        return provincial_site(folder)
