"""A2: what the national portal's answers mean, and the calls that carry no dossier: questions, satisfaction."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Any

import httpx

from hub.connect.questions import QuestionReply
from hub.connect.satisfaction import summed_up
from hub.errors import Rejected, Retryable
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.national_portal.settings import NationalPortalSettings
from tests.frozen.inputs import canonical, fixed, wire
from tests.frozen.parts.delivery_national import ADAPTER

AT = 1_793_495_700_000
"""2026-11-01T01:15:00Z."""

_DONE = {"error_code": 0, "message": "Thành công", "result": []}
ANSWERS: dict[str, Any] = {
    "0 and success": _DONE,
    "0 as text": {"error_code": "0", "message": "Cập nhật thành công"},
    "0 without a message": {"error_code": 0, "message": ""},
    "0 without success": {"error_code": 0, "message": "Đã ghi nhận"},
    "0 and exists": {"error_code": 0, "message": "Hồ sơ đã tồn tại"},
    "3 exists": {"error_code": 3, "message": "Hồ sơ đã tồn tại"},
    "-3 exists": {"error_code": "-3", "message": "x"},
    "-1 error": {"error_code": -1, "message": "Lỗi xử lý"},
    "-2 dead session": {"error_code": -2, "message": "x"},
    "dead session in words": {"error_code": 9, "message": "Phiên làm việc đã hết hạn"},
    "9 unknown": {"error_code": 9, "message": "Sai mã thủ tục"},
    "no code": {"message": "Thành công"},
    "a list": [1],
    "no JSON": "xin chào",
    "a page": "<html>Bảo trì</html>",
    "nothing": "",
    "HTTP 400": 400,
    "HTTP 401": 401,
    "HTTP 404": 404,
    "HTTP 413": 413,
    "HTTP 429": 429,
    "HTTP 500": 500,
    "HTTP 503": 503,
}
ROWS = [
    {"HOIDAPID": 7001, "NOIDUNG": "Hồ sơ gồm những gì?", "MADONVI": "000.00.12.H11", "TENDONVI": "UBND", "TRALOIID": 0},
    {"HOIDAPID": "7002", "NOIDUNG": "Nộp ở đâu?", "MATTHCDP": "2.000033", "TRALOIID": 9, "NOIDUNGTRALOI": "Đây."},
    {"HOIDAPID": 0, "NOIDUNG": "Dòng trống"},
    {"HOIDAPID": 7004, "NOIDUNG": "Chưa công khai", "TRANGTHAI": 0},
]  # fmt: skip
REPLY = QuestionReply("7001", "000.00.12.H11", "Đơn đề nghị, ảnh.", "Lê Văn C", "Chuyên viên", AT)


def outputs() -> dict[str, Any]:
    with fixed.moment():
        return asyncio.run(_outputs())


async def _outputs() -> dict[str, Any]:
    return {
        "answers_to_a_dossier": {name: await _answered(reply) for name, reply in ANSWERS.items()},
        "questions": await _questions(),
        "answer_to_a_question": {
            "as usual": await _reply(),
            "date in full, other endpoint": await _reply(
                question_dates="yyyyMMddHHmmss", question_endpoint="integration"
            ),
        },
        "satisfaction": {
            "as usual": await _satisfaction(),
            "only five stars are very content": await _satisfaction(very_content_from=5, content_from=4),
            "nobody rated": await _satisfaction(ratings=()),
        },
    }


def _reply_of(told: Any) -> httpx.Response:
    if isinstance(told, int):
        return httpx.Response(told, headers={"retry-after": "7"} if told in (429, 503) else {}, text="said")
    return httpx.Response(200, text=told) if isinstance(told, str) else httpx.Response(200, json=told)


def _portal(transport: httpx.AsyncBaseTransport, **settings: Any) -> NationalPortal:
    return NationalPortal(NationalPortalSettings.model_validate(ADAPTER | settings), "frozen-password", transport)


async def _answered(told: Any) -> dict[str, Any]:
    """That answer to the first DongBoHoSoMC of a dossier; all other calls succeed."""
    left = [told]

    def answer(request: httpx.Request) -> httpx.Response:
        service = json.loads(request.content).get("service", "login")
        if service == "login":
            return httpx.Response(200, json={"session": "frozen-session", "error_code": 0})
        return _reply_of(left.pop() if service == "DongBoHoSoMC" and left else _DONE)

    transport = wire.Recorder(answer)
    portal = _portal(transport)
    await portal.open()
    try:
        answer_of = await portal.deliver([canonical.every()["every field 7 RETURNED"]])
        outcome = f"delivered, {answer_of.detail}"
    except Retryable as error:
        outcome = f"retryable ({error.kind}), after {error.retry_after}, status {error.status}: {error}"
    except Rejected as error:
        outcome = f"rejected ({error.reason}), status {error.status}: {error}"
    finally:
        await portal.close()
    return {"outcome": outcome, "calls": ", ".join(map(_service, transport.requests))}


def _service(request: httpx.Request) -> str:
    body = json.loads(request.content)
    return " ".join([body.get("service", "login"), *(["updating"] if body.get("isUpdating") == "True" else [])])


async def _questions() -> dict[str, Any]:
    login = httpx.Response(200, json={"session": "frozen-session", "error_code": 0})
    rows = httpx.Response(200, json=_DONE | {"result": ROWS})
    transport = wire.script(login, rows, httpx.Response(200, json=_DONE))
    portal = _portal(transport)
    await portal.open()
    try:
        found = {kind: [asdict(one) for one in await portal.questions(kind)] for kind in ("citizens", "agencies")}
    finally:
        await portal.close()
    return {"found": found, "calls": wire.bodies(transport.requests)}


async def _reply(**settings: Any) -> list[Any]:
    transport = wire.NationalPortal()
    portal = _portal(transport, **settings)
    await portal.open()
    try:
        await portal.answer_question(REPLY, False)
    finally:
        await portal.close()
    return wire.bodies(transport.requests[1:])


async def _satisfaction(ratings: tuple[int, ...] = (5, 5, 5, 4, 3, 2, 1), **settings: Any) -> list[Any]:
    transport = wire.NationalPortal()
    portal = _portal(transport, **settings)
    await portal.open()
    try:
        await portal.send_satisfaction(summed_up("2026-10", AT, ratings))
    finally:
        await portal.close()
    return wire.bodies(transport.requests[1:])
