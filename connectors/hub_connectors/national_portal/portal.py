"""Delivery to the national portal: look up, add or update the whole dossier, then its progress lines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import httpx

from hub.avro.records import Dossier, DossierEvent
from hub.connect.file_links import Links
from hub.connect.http_client import make_client
from hub.connect.portal import Answer, Item, Strategy
from hub.connect.questions import Kind, Question, QuestionReply
from hub.connect.satisfaction import Satisfaction
from hub.connect.subscriber_settings import read_secret, read_settings
from hub.control.records import Subscriber
from hub.errors import Rejected, Retryable
from hub.events.envelope import ORIGIN
from hub.events.families import DOSSIER
from hub.untyped import JsonObject
from hub_connectors.national_portal.client import NationalPortalClient
from hub_connectors.national_portal.mapping import Wire, WireMapping
from hub_connectors.national_portal.questions import Questions
from hub_connectors.national_portal.satisfaction import SERVICE, satisfaction
from hub_connectors.national_portal.session import Session, join_session, leave_session
from hub_connectors.national_portal.settings import NationalPortalSettings

log = logging.getLogger(__name__)

PORTAL = "national-portal"
"""Origin of events that came from here."""
_DEAD_TOLD, _ID_KEPT = 10, 40


class NationalPortal:
    """`Portal` of kind national-portal. `transport` replaces the network in tests of network faults."""

    strategy = Strategy.STATE
    families = (DOSSIER.event.name,)

    def __init__(
        self, settings: NationalPortalSettings, secret: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.settings = settings
        self.max_fold = settings.max_fold
        self.answered = 0
        self._secret = secret
        self._transport = transport
        self._http: httpx.AsyncClient | None = None
        self._client: NationalPortalClient | None = None
        self._session: Session | None = None
        self._links: Links | None = None

    async def open(self) -> None:
        s = self.settings
        self._http = make_client(s.timeout_s, s.guard, self._transport)
        login = (str(s.adapter_url), s.auth_endpoint, s.username, self._secret)
        self._session = join_session(login, s.session_s)
        self._client = NationalPortalClient(self._http, s, self._session, self._secret)
        self._links = Links(self._http, s.file_hosts, s.file_timeout_s)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
        if self._session is not None:
            leave_session(self._session)
        self._http = self._client = self._session = None

    async def probe(self) -> None:
        """A short catalogue under the session; any answer but error_code 0 is Retryable (`probe`)."""
        client = self._begun()
        try:
            reply = await client.call(self.settings.probe_service, {}, share=True)
        except Rejected as error:
            raise Retryable("probe", str(error), status=error.status) from None
        if reply.code != "0":
            raise Retryable("probe", f"{self.settings.probe_service}: {reply.said}")

    async def deliver(self, items: Sequence[Item]) -> Answer:
        """The newest state of the dossier, then a line for each event, in order, at most ten a call.

        Events that came from the portal itself are not sent back; a dossier that was filed there is answered by
        DongBoTrangThaiHoSo before. Each try looks up first, so an earlier call whose outcome is unclear does no harm;
        of lines, which no look-up shows, `answered` tells which calls need not be made again. `Answer.detail`: lookup
        (known, unknown), answered (codes), sent (add or update), lines, cut (fields that were too long), unreachable
        (files, by id).
        """
        self.answered = 0
        told = [(item, _event(item)) for item in sorted(items, key=lambda item: item.hub_seq)]
        ordered = [event for item, event in told if not _is_its_own(item)]
        if not ordered:
            return Answer(detail={"sent": "nothing, it came from this portal"})
        client, mapping = self._opened(), WireMapping(self.settings)
        steps = [event.step for event in ordered]
        dossier = mapping.dossier(_newest(ordered), steps)
        lines = mapping.lines(ordered)
        detail = {"lines": str(len(lines))}
        if mapping.cuts:
            detail["cut"] = ", ".join(mapping.cuts)

        if dead := await self._dead_links(dossier):
            detail["unreachable"] = dead
        client.begin()
        known = self.settings.look_up_first and await self._known(client, dossier["MaHoSo"])
        if self.settings.look_up_first:
            detail["lookup"] = "known" if known else "unknown"
        if known and (answers := mapping.answers(_newest(ordered), steps)):
            detail["answered"] = await self._answer_back(client, answers)
        detail["sent"] = await self._send_dossier(client, dossier, known)
        await self._send_lines(client, lines, _places(told, mapping))
        last = client.last
        said = f"files out of reach, {dead}; " if dead else ""
        return Answer(last.status if last else None, said + (last.excerpt if last else ""), detail)

    async def _send_lines(self, client: NationalPortalClient, lines: list[Wire], places: Sequence[int]) -> None:
        """So many a call. `answered` goes up to the first item whose line is not answered yet."""
        for start in range(0, len(lines), self.settings.lines_per_call):
            self.answered = places[start] if start else 0
            chunk = lines[start : start + self.settings.lines_per_call]
            reply = await client.call("CapNhatTienDoHoSoMC", {"data": chunk})
            client.check_done("CapNhatTienDoHoSoMC", reply)

    @staticmethod
    async def _known(client: NationalPortalClient, code: str) -> bool:
        """Whether TraCuuHoSo finds it. An answer other than 0 counts as not found: an add then tells for sure."""
        reply = await client.call("TraCuuHoSo", {"mahoso": code})
        return reply.code == "0" and any(_is_of(row, code) for row in reply.result)

    async def send_satisfaction(self, told: Satisfaction) -> Answer:
        """DongBoDanhGia of one month."""
        client = self._begun()
        client.check_done(SERVICE, await client.call(SERVICE, satisfaction(told, self.settings)))
        return Answer(client.last.status if client.last else None, client.last.excerpt if client.last else "")

    async def questions(self, kind: Kind) -> list[Question]:
        """LayDanhSachHoiDap…, with the answers that the portal knows."""
        return await Questions(self._begun(), self.settings).all(kind)

    async def answer_question(self, reply: QuestionReply, replace: bool) -> Answer | None:
        """DongBoKetQuaHoiDapGuiTuDVCQG; None if the same answer stands there."""
        client = self._begun()
        sent = await Questions(client, self.settings).answer(reply, replace)
        return Answer(client.last.status if client.last else None) if sent else None

    async def _dead_links(self, dossier: JsonObject) -> str:
        """Which of the dossier's files cannot be had by their links, and why; "" if all can. It is sent all the same: a
        dossier that is missing at the portal harms more than a dead link, which a later delivery finds alive."""
        assert self._links is not None
        given = [(paper["TepDinhKemId"], paper["DuongDanTaiTepTin"]) for paper in dossier["TaiLieuNop"]]
        given += [(paper["GiayToId"], paper["DuongDanTepTinKetQua"]) for paper in dossier["DanhSachGiayToKetQua"]]
        asked = [(id, url) for id, url in given if self._links.allowed(url)]
        reasons = await asyncio.gather(*(self._links.why_unreachable(url) for _, url in asked))
        dead = [f"{id[:_ID_KEPT]} {why}" for (id, _), why in zip(asked, reasons, strict=True) if why]
        if not dead:
            return ""
        more = f" and {len(dead) - _DEAD_TOLD} more" if len(dead) > _DEAD_TOLD else ""
        told = f"{len(dead)} of {len(asked)} links: {', '.join(dead[:_DEAD_TOLD])}{more}"
        log.warning("%s: files cannot be had by its links, %s", dossier["MaHoSo"], told)
        return told

    @staticmethod
    async def _answer_back(client: NationalPortalClient, answers: Sequence[JsonObject]) -> str:
        """The agency's answers to a dossier that was filed there, in order; their codes."""
        for answer in answers:
            client.check_done(
                "DongBoTrangThaiHoSo", await client.call("DongBoTrangThaiHoSo", {"type": "2", "data": answer})
            )
        return ", ".join(answer["TrangThai"] for answer in answers)

    @staticmethod
    async def _send_dossier(client: NationalPortalClient, dossier: JsonObject, known: bool) -> str:
        """add or update, as it was sent in the end."""
        reply = await client.call("DongBoHoSoMC", {"isUpdating": str(known), "data": [dossier]})
        if not known and client.exists(reply):
            known = True
            reply = await client.call("DongBoHoSoMC", {"isUpdating": "True", "data": [dossier]})
        client.check_done("DongBoHoSoMC", reply)
        return "update" if known else "add"

    def _begun(self) -> NationalPortalClient:
        client = self._opened()
        client.begin()
        return client

    def _opened(self) -> NationalPortalClient:
        if self._client is None:
            raise RuntimeError("the connection is not open")
        return self._client


def _event(item: Item) -> DossierEvent:
    if not isinstance(item.data, DossierEvent):
        raise Rejected("unsupported", f"the national portal has no call for a {item.family}")
    return item.data


def _newest(events: Sequence[DossierEvent]) -> Dossier:
    """The newest state among them: a replayed event may carry a later one than those after it."""
    return max((event.dossier for event in reversed(events)), key=lambda dossier: dossier.hub_seq)


def _places(told: Sequence[tuple[Item, DossierEvent]], mapping: WireMapping) -> list[int]:
    """Of each line, which of the items it belongs to; none beyond the one that carries the newest state, since what is
    left of a delivery must not be sent with an older one."""
    own = [(place, event) for place, (item, event) in enumerate(told) if not _is_its_own(item)]
    newest = _newest([event for _, event in own])
    carrier = next(place for place, event in own if event.dossier is newest)
    return [min(place, carrier) for place, event in own if mapping.has_line(event)]


def _is_its_own(item: Item) -> bool:
    return item.envelope.extensions.get(ORIGIN) == PORTAL


def _is_of(row: Any, code: str) -> bool:
    """A row of that dossier; a row without MaHoSo is taken for it, since it was asked for by code."""
    return not isinstance(row, dict) or row.get("MaHoSo", code) == code


def portal(subscriber: Subscriber) -> NationalPortal:
    """Entry point `hub.portals`: an unopened connection. ConfigError names the wrong field."""
    settings = read_settings(NationalPortalSettings, subscriber)
    if settings.mode == "adapter":
        return NationalPortal(settings, read_secret(subscriber, "password"))
    return NationalPortal(settings, read_secret(subscriber, "token") if subscriber.secrets.get("token") else "")
