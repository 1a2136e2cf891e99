"""Calls to the national portal: the envelope, the session, and what an answer means (docs/field/portal.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from hub.connect.http_call import Reply, check_status, send
from hub.errors import Rejected, Retryable
from hub.untyped import JsonObject
from hub_connectors.national_portal.names import Names
from hub_connectors.national_portal.reply import PortalReply, read_reply
from hub_connectors.national_portal.session import Session
from hub_connectors.national_portal.settings import NationalPortalSettings

_HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "Charset": "utf-8"}
_RENEWED_STATUS = (401, 403)


class NationalPortalClient:
    """One connection. `last` is the HTTP answer of the last call. All methods raise Retryable or Rejected only."""

    def __init__(
        self, http: httpx.AsyncClient, settings: NationalPortalSettings, session: Session, secret: str
    ) -> None:
        self._http = http
        self._settings = settings
        self._session = session
        self._secret = secret
        self._proven = False
        self._names = Names(settings.field_names)
        self.last: Reply | None = None

    def begin(self) -> None:
        """Forgets that the session was seen alive: called once a delivery."""
        self._proven = False

    async def login(self) -> str:
        """A new session; Retryable (`login`) when the portal refuses it: no event is to blame for wrong credentials."""
        s = self._settings
        try:
            reply = await self._post(self._address(s.auth_endpoint), {"username": s.username, "password": self._secret})
        except Rejected as error:
            raise Retryable("login", f"login refused: {error}", status=error.status) from None
        if reply.code != "0" or not reply.session:
            raise Retryable("login", f"login refused: {reply.said}; check username, password and dstcode")
        return reply.session

    async def call(self, service: str, fields: Mapping[str, Any], share: bool = False) -> PortalReply:
        """One service call under the session; a dead session is renewed and the call sent once more.

        Since no public source tells the code of a dead session, an unknown refusal under a session that no answer has
        proven alive in this delivery is tried once more under a new one before it counts.
        """
        reply = await self._call(service, self._names.out(service, fields), share)
        return replace(reply, result=self._names.back(service, reply.result))

    async def _call(self, service: str, fields: Mapping[str, Any], share: bool) -> PortalReply:
        if self._settings.mode == "wrapper":
            return await self._post(self._wrapper_address(service), self._body(service, fields), wrapped=True)
        token = await self._session.token(self.login)
        address = self._address(self._settings.share_endpoint if share else self._settings.integration_endpoint)
        reply, why = await self._try(address, self._body(service, fields, token))
        if why:
            token = await self._session.renew(token, self.login)
            self._proven = True
            reply, why = await self._try(address, self._body(service, fields, token))
            if reply is None:
                raise Retryable("forbidden", f"{service}: {why}, also under a new session", status=self._status)
            if self._is_dead(reply):
                raise Retryable("session", f"{service}: {reply.said}, also under a new session", status=self._status)
        assert reply is not None
        self._proven = self._proven or reply.code == "0"
        return reply

    async def _try(self, address: str, body: JsonObject) -> tuple[PortalReply | None, str]:
        """(answer, why a new session should be tried or "")."""
        try:
            reply = await self._post(address, body)
        except Retryable as error:
            if error.status not in _RENEWED_STATUS:
                raise
            return None, str(error)
        if self._is_dead(reply):
            return reply, "the session is dead"
        return reply, "" if self._proven or not self.is_refusal(reply) else "refused under an unproven session"

    async def _post(self, address: str, body: JsonObject, wrapped: bool = False) -> PortalReply:
        s = self._settings
        self.last = None
        request = self._http.build_request("POST", address, json=body, headers=self._headers(), params=self._params())
        self.last = await send(self._http, request, s.timeout_s, s.max_answer_bytes)
        check_status(self.last)
        return read_reply(self.last.body, wrapped)

    @property
    def _status(self) -> int | None:
        return self.last.status if self.last else None

    def _body(self, service: str, fields: Mapping[str, Any], token: str = "") -> JsonObject:
        head = {"session": token} if token else {}
        return {**head, "madonvi": self._settings.madonvi, "service": service, **fields}

    def _headers(self) -> dict[str, str]:
        s = self._settings
        if s.mode == "wrapper":
            return {**_HEADERS, "Authorization": f"Bearer {self._secret}"} if self._secret else _HEADERS
        return {**_HEADERS, "dstcode": s.dstcode} if s.dstcode_in == "header" else _HEADERS

    def _params(self) -> dict[str, str] | None:
        s = self._settings
        return {"dstcode": s.dstcode} if s.mode == "adapter" and s.dstcode_in == "query" else None

    def _address(self, endpoint: str) -> str:
        return f"{str(self._settings.adapter_url).rstrip('/')}/{endpoint.lstrip('/')}"

    def _wrapper_address(self, service: str) -> str:
        return self._address(f"{self._settings.wrapper_path.strip('/')}/{service}")

    def _is_dead(self, reply: PortalReply) -> bool:
        s = self._settings
        return reply.code in s.session_codes or (reply.code != "0" and reply.says(s.session_words))

    def exists(self, reply: PortalReply) -> bool:
        """The dossier is there already: send it again as an update (docs/field/portal.md#error-codes)."""
        s = self._settings
        return reply.code in s.exists_codes or (reply.code == "0" and reply.says(s.exists_words))

    def is_refusal(self, reply: PortalReply) -> bool:
        """A code that is none of those with a known meaning."""
        s = self._settings
        return reply.code not in {"0", *s.exists_codes, *s.retry_codes, *s.not_found_codes, *s.session_codes}

    @property
    def not_found_codes(self) -> tuple[str, ...]:
        """Codes by which a look-up says that there is nothing, besides 0 with an empty result."""
        return self._settings.not_found_codes

    def check_done(self, service: str, reply: PortalReply) -> None:
        """Returns when the call is done; else the verdict: portal_error, unclear, or refused for good."""
        s = self._settings
        if reply.code == "0" and (not reply.message.strip() or reply.says(s.success_words)):
            return
        said = f"{service}: {reply.said}"
        if reply.code in s.retry_codes:
            raise Retryable("portal_error", said, status=self._status)
        if reply.code == "0":
            raise Retryable("unclear", f"{said} (none of settings.success_words)", status=self._status)
        raise Rejected("refused", said, self._status)
