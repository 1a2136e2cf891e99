"""The portal's calls over HTTP (docs/field/packets.md). Each answer is {error_code, message}: 0 taken, 1 there already,
-1 not taken (with the reason; after a moment of the hub's own trouble the same call may be made again). Paths, names of
fields and codes are settings, since one public source or none has them."""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Literal, get_args

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from hub.avro.records import ApplicantKind, Dossier, DossierStep
from hub.connect.inbound import InboundHost
from hub.connect.source import Incoming
from hub.control.vault import References
from hub.errors import BadRecord, BrokerAway, Overloaded, RegistryError, Retryable
from hub.events.envelope import rfc3339
from hub.untyped import JsonObject
from hub.web.brake import opened
from hub.web.json_text import is_text
from hub.web.problem import Problem
from hub_connectors.national_portal.inbound import messages
from hub_connectors.national_portal.inbound.settings import NAME, InboundSettings
from hub_connectors.national_portal.mapping import by_post
from hub_connectors.national_portal.names import Names
from hub_connectors.national_portal.wire import WORDS, text

log = logging.getLogger(__name__)

KINDS: tuple[ApplicantKind, ...] = get_args(ApplicantKind)
Outcome = Literal["taken", "there_already", "not_taken"]
Answer = tuple[Outcome, str, list[dict[str, str]] | None]
"""outcome, message, result."""
Work = Callable[[InboundHost, JsonObject], Awaitable[Answer]]


class NationalInbound:
    """`Inbound` of the national portal."""

    name = NAME

    def __init__(self, settings: InboundSettings, references: References) -> None:
        self._settings = settings
        self._token = references.resolve(settings.token, f"inbound.{NAME}.token") if settings.token else ""
        self._brake = opened(f"inbound/{NAME}")
        self._names = Names(settings.field_names)
        words = {**WORDS["applicant_kind"], **settings.applicant_kinds}
        self._kinds = {kind: str(words[kind]) for kind in KINDS}
        self._networks = [ip_network(one) for one in settings.clients]

    def router(self, host: InboundHost) -> APIRouter:
        api = APIRouter()

        def served(door: str, work: Work, about: str) -> None:
            @api.post(f"/{self._settings.paths.get(door, door)}", summary=about, name=door)
            async def call(request: Request) -> Response:
                self._admit(request)
                return self._reply(door, await self._answered(door, work, host, await host.body(request)))

        served("addtthcKhuyenMai", self._filed, "A dossier filed on the national portal")
        served("nhanhsdvcqg", self._supplement, "A supplement")
        served("nhantbthuedvcqg", self._tax_notice, "A tax notice")
        served("search/call", self._search, "Look-up of a dossier")
        return api

    def _admit(self, request: Request) -> None:
        """Problem `unauthenticated` or `forbidden`."""
        host = request.client.host if request.client else ""
        if self._token:
            self._brake.check(host)
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                if given:
                    self._brake.failed(host)
                raise Problem("unauthenticated", "send the agreed token as bearer", {"WWW-Authenticate": "Bearer"})
        if self._networks and not any(host and ip_address(host) in network for network in self._networks):
            raise Problem("forbidden", "calls from this address are not taken")

    async def _filed(self, host: InboundHost, body: JsonObject) -> Answer:
        now, made = int(time.time() * 1000), []
        for entry in messages.entries(body):
            step = messages.filed(entry, now, self._kinds)
            if str(body.get("isUpdating")) != "True" and await self._is_known(host, step.dossier_code):
                continue
            made.append(self._event("addtthcKhuyenMai", body, entry, step))
        return await _taken(host, made)

    async def _supplement(self, host: InboundHost, body: JsonObject) -> Answer:
        now = int(time.time() * 1000)
        sent = messages.entries(body)
        made = [self._event("nhanhsdvcqg", body, entry, messages.supplement(entry, now)) for entry in sent]
        return await _taken(host, made)

    async def _tax_notice(self, host: InboundHost, body: JsonObject) -> Answer:
        step = messages.tax_notice(body, int(time.time() * 1000), self._names)
        return await _taken(host, [self._event("nhantbthuedvcqg", body, body, step)])

    async def _search(self, host: InboundHost, body: JsonObject) -> Answer:
        code = text(body.get("masohoso")).strip()
        if not code:
            raise BadRecord("missing_field", "masohoso: is empty", "masohoso")
        dossier = await host.find(code)
        if dossier is None:
            return "taken", "Không tìm thấy hồ sơ", []
        return "taken", "Thành công", [self._shown(dossier)]

    def _shown(self, dossier: Dossier) -> dict[str, str]:
        """The nine fields of a look-up; nothing personal."""
        kind = dossier.applicant.kind if dossier.applicant else "CITIZEN"
        status = {**WORDS["status"], **self._settings.status_codes}.get(dossier.status)
        return {
            "MaHoSo": dossier.dossier_code,
            "MaTTHC": text(dossier.procedure_code),
            "TenTTHC": text(dossier.procedure_name),
            "MaLinhVuc": text(dossier.field_code),
            "TenLinhVuc": text(dossier.field_name),
            "LoaiDoiTuong": self._kinds[kind],
            "TrangThaiHoSo": text(status),
            "HinhThuc": by_post(dossier, self._settings.by_post_tells),
            "DonViXuLy": text(dossier.agency_name or dossier.agency_code),
        }

    @staticmethod
    async def _is_known(host: InboundHost, code: str) -> bool:
        """Unknown while the read model is away: the core drops a copy anyway."""
        try:
            return await host.find(code) is not None
        except Retryable:
            return False

    def _event(self, service: str, body: JsonObject, sent: Mapping[str, Any], step: DossierStep) -> Incoming:
        reference = text(body.get("refId") or sent.get("refId"))
        return messages.event(self._settings.source, service, reference, sent, step)

    async def _answered(self, door: str, work: Work, host: InboundHost, raw: bytes) -> Answer:
        """The work's answer, or the reason why there is none. What is personal stands in no reason."""
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            return "not_taken", "Nội dung không phải là JSON", None
        if not is_text(body):
            raise Problem("malformed", "the body holds half of a surrogate pair, which no encoding can write")
        if not isinstance(body, dict):
            return "not_taken", "Nội dung phải là một đối tượng JSON", None
        try:
            return await work(host, self._names.back(door, body))
        except BadRecord as error:
            log.warning("an inbound call was not taken: %s in %s", error.reason, error.field or "the message")
            return "not_taken", f"Không hợp lệ: {error.detail}", None
        except (BrokerAway, Overloaded, RegistryError, Retryable) as error:
            log.warning("an inbound call was not taken for now: %s", error)
            return "not_taken", "Hệ thống tạm thời không nhận được, đề nghị gửi lại", None

    def _reply(self, door: str, answer: Answer) -> Response:
        outcome, message, result = answer
        out: JsonObject = {"error_code": getattr(self._settings, f"{outcome}_code"), "message": message}
        return JSONResponse(out if result is None else out | {"result": self._names.out(door, result)})


async def _taken(host: InboundHost, events: list[Incoming]) -> Answer:
    """1 when there is nothing among them that was not there already."""
    new = await host.accept(events, rfc3339(datetime.now(UTC)))
    return ("taken", "Thành công", None) if any(new) else ("there_already", "Đã tồn tại, đã nhận trước đó", None)
