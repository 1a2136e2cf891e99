"""Questions and answers of the national portal (hỏi đáp; docs/field/portal.md#services, from one public client).

LayDanhSachHoiDap… hands out a list whole; a row that shows no answer may have one, which LayNoiDungTraLoiTheoCauHoi
tells; DongBoKetQuaHoiDapGuiTuDVCQG takes an answer. DongBoHoiDap (the province's own questions) is not served: the only
public client sends no answer with them, and names no field for one.
"""

from __future__ import annotations

from datetime import UTC, datetime

from hub.connect.questions import Kind, Question, QuestionReply
from hub.errors import Rejected
from hub.untyped import JsonObject
from hub_connectors.national_portal.catalogue.values import Row, text
from hub_connectors.national_portal.client import NationalPortalClient
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.wire import HO_CHI_MINH, wire_time

LISTS: dict[Kind, str] = {"citizens": "LayDanhSachHoiDapGuiTuDVCQG", "agencies": "LayDanhSachHoiDapBoCoQuan"}
LOOK_UP = "LayNoiDungTraLoiTheoCauHoi"
ANSWER = "DongBoKetQuaHoiDapGuiTuDVCQG"
_NONE = ("", "0")


class Questions:
    """Calls over one connection. Raises Retryable and Rejected."""

    def __init__(self, client: NationalPortalClient, settings: NationalPortalSettings) -> None:
        self._client, self._settings = client, settings

    async def all(self, kind: Kind) -> list[Question]:
        """Rows without a number and those with TRANGTHAI 0 are left out, as the public client does. Of a repeated row
        the first counts."""
        found: dict[str, Question] = {}
        for row in await self._rows(LISTS[kind], {}):
            id = text(row.get("HOIDAPID")) or ""
            if id in _NONE or id in found or text(row.get("TRANGTHAI")) == "0":
                continue
            found[id] = _question(row, id, _answer(row) or await self._answer_of(id))
        return list(found.values())

    async def answer(self, reply: QuestionReply, replace: bool) -> bool:
        """False: the very same answer stands there already. Rejected (`conflict`, `refused`, `missing_field`)."""
        for name, value in (("question", reply.question), ("text", reply.text), ("by", reply.by)):
            if not value.strip():
                raise Rejected("missing_field", f"{name}: is empty")
        there = await self._answer_of(reply.question)
        if there == text(reply.text):
            return False
        if there and not replace:
            raise Rejected("conflict", f"question {reply.question} has another answer already")
        self._client.check_done(ANSWER, await self._client.call(ANSWER, {"data": [self._entry(reply)]}))
        return True

    def _entry(self, reply: QuestionReply) -> JsonObject:
        at = wire_time(reply.at)
        if self._settings.question_dates == "dd/MM/yyyy":
            at = f"{datetime.fromtimestamp(reply.at // 1000, UTC).astimezone(HO_CHI_MINH):%d/%m/%Y}"
        return {
            "HOIDAPID": reply.question,
            "MADONVI": reply.agency_code or self._settings.madonvi,
            "NGUOITRALOI": reply.by,
            "CHUCVUNGUOITRALOI": reply.position,
            "NGAYTRALOI": at,
            "NOIDUNGTRALOI": reply.text,
        }

    async def _answer_of(self, id: str) -> str:
        """The last answer that is told, "" if none."""
        answers = [_answer(row) for row in await self._rows(LOOK_UP, {"cauhoiid": id})]
        return next((one for one in reversed(answers) if one), "")

    async def _rows(self, service: str, fields: dict[str, str]) -> list[Row]:
        share = self._settings.question_endpoint == "share"
        reply = await self._client.call(service, fields, share)
        if reply.code in self._client.not_found_codes:
            return []
        if reply.code != "0":
            self._client.check_done(service, reply)
        return [row for row in reply.result if isinstance(row, dict)]


def _answer(row: Row) -> str:
    """NOIDUNGTRALOI of a row whose answer has a number."""
    return "" if (text(row.get("TRALOIID")) or "") in _NONE else text(row.get("NOIDUNGTRALOI")) or ""


def _question(row: Row, id: str, answer: str) -> Question:
    return Question(
        id=id,
        text=text(row.get("NOIDUNG")) or "",
        agency_code=text(row.get("MADONVI")) or "",
        agency_name=text(row.get("TENDONVI")) or "",
        field_code=text(row.get("MALINHVUC")) or text(row.get("MATTHCDP")) or "",
        answer=answer,
    )
