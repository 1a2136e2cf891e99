"""The catalogue services of the national portal: whole lists, without paging (docs/field/portal.md#services)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from hub.connect.http_client import make_client
from hub.connect.subscriber_settings import read_secret, read_settings
from hub.control.records import Subscriber
from hub.errors import Rejected, Retryable
from hub_connectors.national_portal.catalogue.values import Row
from hub_connectors.national_portal.client import NationalPortalClient
from hub_connectors.national_portal.session import join_session, leave_session
from hub_connectors.national_portal.settings import NationalPortalSettings


class CatalogueClient:
    """Calls of one round. Raises Retryable only: a list is had whole, or not at all."""

    def __init__(self, client: NationalPortalClient, http: httpx.AsyncClient) -> None:
        self._client = client
        self.http = http

    async def whole(self, service: str, share: bool = True, **fields: str) -> list[Row]:
        """Every row of a list; [] when the portal says that there are none. What is no object is left out."""
        self._client.begin()
        try:
            reply = await self._client.call(service, fields, share)
            if reply.code != "0":
                self._client.check_done(service, reply)
        except Rejected as error:
            raise Retryable("refused", str(error), status=error.status) from None
        found: list[Any] = list(reply.result)
        if len(found) == 1 and isinstance(found[0], Mapping) and isinstance(found[0].get("data"), list):
            found = found[0]["data"]
        return [row for row in found if isinstance(row, Mapping)]

    async def procedure(self, code: str) -> Row | None:
        """LayThuTuc; None if the portal has no such procedure (now)."""
        self._client.begin()
        try:
            reply = await self._client.call("LayThuTuc", {"maTTHC": code})
        except Rejected as error:
            raise Retryable("refused", str(error), status=error.status) from None
        if reply.code != "0":
            if self._client.is_refusal(reply) or reply.code in self._client.not_found_codes:
                return None
            raise Retryable("portal_error", f"LayThuTuc {code}: {reply.said}")
        return next((row for row in reply.result if isinstance(row, Mapping)), None)


@asynccontextmanager
async def connected(
    subscriber: Subscriber, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[CatalogueClient]:
    """A client with the subscriber's own settings and secret. ConfigError: they are wrong."""
    settings = read_settings(NationalPortalSettings, subscriber)
    if settings.mode == "adapter":
        secret = read_secret(subscriber, "password")
    else:
        secret = read_secret(subscriber, "token") if subscriber.secrets.get("token") else ""
    session = join_session(
        (str(settings.adapter_url), settings.auth_endpoint, settings.username, secret), settings.session_s
    )
    try:
        async with make_client(settings.timeout_s, settings.guard, transport) as http:
            yield CatalogueClient(NationalPortalClient(http, settings, session, secret), http)
    finally:
        leave_session(session)
