"""The simulated portal's HTTP face: login, integration and share endpoints, and the province's wrapper."""

from __future__ import annotations

import itertools
import json
import random
import time
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.untyped import JsonObject
from hub_connectors.national_portal.simulator.catalogue import Catalogue
from hub_connectors.national_portal.simulator.citizens import PATH, Citizens
from hub_connectors.national_portal.simulator.contract import (
    answer_fault,
    dossier_fault,
    line_fault,
    question_answer_fault,
    satisfaction_fault,
)
from hub_connectors.national_portal.simulator.ledger import Ledger
from hub_connectors.national_portal.simulator.options import Options

Verdict = tuple[str, str, Any]
"""error_code, message, result: mostly a list."""

FILES = "/downloadfile/"
"""Where the agency's file store answers, which stands beside the portal here."""

_SEARCH_FIELDS = (
    "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "LoaiDoiTuong", "TrangThaiHoSo", "HinhThuc", "DonViXuLy",
)  # fmt: skip


class NationalPortalApp:
    """Keeps sessions in memory and everything else in the ledger."""

    def __init__(self, options: Options, ledger: Ledger, seed: int = 1) -> None:
        self.options = options
        self._ledger = ledger
        self._lists = Catalogue(options.catalogue)
        self._random = random.Random(seed)
        self._exists_codes = itertools.cycle(options.exists_codes)
        self._sessions: dict[str, float] = {}
        self._partial = False
        o = options
        self.asgi = Starlette(
            routes=[
                Route(o.adapter_path + o.auth_endpoint, self._login, methods=["POST"]),
                Route(o.adapter_path + o.integration_endpoint, self._integration, methods=["POST"]),
                Route(o.adapter_path + o.share_endpoint, self._share, methods=["POST"]),
                Route(o.wrapper_path + "{service}", self._wrapper, methods=["POST"]),
                Route(FILES + "{name}", _file, methods=["GET"]),
                Route(PATH, Citizens(options, ledger).file, methods=["POST"]),
            ]
        )

    def expire_sessions(self) -> None:
        """Every session is dead from now on."""
        self._sessions.clear()

    async def _login(self, request: Request) -> Response:
        body = await self._body(request)
        if isinstance(body, Response):
            return body
        o = self.options
        right = (not o.username or body.get("username") == o.username) and (
            body.get("password") == o.password if o.password else bool(body.get("password"))
        )
        if not right:
            return self._reply(o.login_code, "Tên đăng nhập hoặc mật khẩu không đúng", [])
        if o.one_session:
            self.expire_sessions()
        session = uuid.uuid4().hex
        self._sessions[session] = time.monotonic() + o.session_s
        return JSONResponse({"session": session, "error_code": self._form("0")})

    async def _integration(self, request: Request) -> Response:
        body = await self._body(request)
        self._partial = request.scope.get("fault") == "partial_batch"  # nothing is awaited until it was served
        return body if isinstance(body, Response) else self._reply(*self._under_session(body, self._serve))

    async def _share(self, request: Request) -> Response:
        body = await self._body(request)
        return body if isinstance(body, Response) else self._reply(*self._under_session(body, self._catalogue))

    async def _wrapper(self, request: Request) -> Response:
        """The province's LGSP logs in by itself and packs the answer into `message` as a JSON string."""
        body = await self._body(request, routed=False)
        if isinstance(body, Response):
            return body
        service = request.path_params["service"]
        shared = self._lists.has(service) or service == "LayNoiDungTraLoiTheoCauHoi"
        code, message, result = (self._catalogue if shared else self._serve)({**body, "service": service})
        inner = {"error_code": self._form(code), "message": message, "result": result}
        outer: JsonObject = {"message": json.dumps(inner, ensure_ascii=False)}
        if self._random.random() < 0.5:
            outer["error_code"] = self._form(code)
        return JSONResponse(outer)

    async def _body(self, request: Request, routed: bool = True) -> JsonObject | Response:
        """The JSON object, or the answer to a call that the adapter cannot route or read."""
        wanted = self.options.dstcode
        given = request.headers.get("dstcode") or request.query_params.get("dstcode") or ""
        if routed and (not given or (wanted and given != wanted)):
            return PlainTextResponse(f"unknown dstcode {given!r}", 400)
        try:
            body = json.loads(await request.body())
        except ValueError:
            return PlainTextResponse("the body is no JSON", 400)
        return body if isinstance(body, dict) else PlainTextResponse("the body is no JSON object", 400)

    def _under_session(self, body: JsonObject, serve: Any) -> Verdict:
        o = self.options
        if self._sessions.get(str(body.get("session")), 0.0) < time.monotonic():
            return self._logged(body, (o.session_code, "Phiên làm việc không hợp lệ hoặc đã hết hạn", []))
        verdict: Verdict = serve(body)
        return verdict

    def _serve(self, body: JsonObject) -> Verdict:
        o = self.options
        if not body.get("madonvi") or (o.madonvi and body["madonvi"] != o.madonvi):
            return self._logged(body, (o.service_code, "Mã đơn vị không đúng", []))
        match body.get("service"):
            case "TraCuuHoSo":
                verdict = self._look_up(body)
            case "DongBoHoSoMC":
                verdict = self._sync(body)
            case "CapNhatTienDoHoSoMC":
                verdict = self._progress(body)
            case "DongBoTrangThaiHoSo":
                verdict = self._take_answer(body)
            case "DongBoDanhGia":
                fault = satisfaction_fault(body)
                verdict = (o.limit_code, fault, []) if fault else ("0", "Đồng bộ đánh giá thành công", [])
            case "DongBoKetQuaHoiDapGuiTuDVCQG":
                verdict = self._take_question_answers(body)
            case "LayThuTuc":
                found = self._lists.procedure(str(body.get("maTTHC")))
                verdict = ("0", "Thành công" if found else "Không tìm thấy thủ tục", found)
            case "LayDVC":
                verdict = ("0", "Thành công", {"data": self._lists.services(str(body.get("maTTHC") or ""))})
            case _:
                verdict = (o.service_code, "Dịch vụ không tồn tại", [])
        return self._logged(body, verdict)

    def _catalogue(self, body: JsonObject) -> Verdict:
        service = str(body.get("service"))
        if service == "LayNoiDungTraLoiTheoCauHoi":
            question = str(body.get("cauhoiid"))
            told = self._lists.answers(question) + self._ledger.question_answers(question)
            return self._logged(body, ("0", "Thành công", told))
        if not self._lists.has(service):
            return self._logged(body, (self.options.service_code, "Dịch vụ không tồn tại", []))
        return self._logged(body, ("0", "Thành công", self._lists.rows(service)))

    def _look_up(self, body: JsonObject) -> Verdict:
        found = self._ledger.find(str(body.get("mahoso")))
        if found is None:
            return "0", "Không tìm thấy hồ sơ", []
        return "0", "Thành công", [{name: found.get(name, "") for name in _SEARCH_FIELDS}]

    def _sync(self, body: JsonObject) -> Verdict:
        o = self.options
        entries, updating = body.get("data"), body.get("isUpdating")
        if updating not in ("True", "False") or not isinstance(entries, list) or not entries:
            return o.limit_code, 'isUpdating phải là "True" hoặc "False", data phải có hồ sơ', []
        for entry in entries:
            if fault := dossier_fault(entry):
                return o.limit_code, fault, []
            known = self._ledger.find(entry["MaHoSo"]) is not None
            if known and updating == "False":
                return next(self._exists_codes), "Hồ sơ đã tồn tại", []
            if not known and updating == "True":
                return o.unknown_dossier_code, "Không tìm thấy hồ sơ để cập nhật", []
        self._ledger.write_dossiers(self._taken(entries), updating)
        return self._error() if self._partial else ("0", "Đồng bộ hồ sơ thành công", [])

    def _progress(self, body: JsonObject) -> Verdict:
        o = self.options
        entries = body.get("data")
        if not isinstance(entries, list) or not entries or len(entries) > 10:
            return o.limit_code, "data phải có từ 1 đến 10 tiến độ", []
        for entry in entries:
            if fault := line_fault(entry):
                return o.limit_code, fault, []
            if self._ledger.find(entry["MaHoSo"]) is None:
                return o.unknown_dossier_code, "Hồ sơ chưa được đồng bộ", []
        self._ledger.write_lines(self._taken(entries))
        return self._error() if self._partial else ("0", "Cập nhật tiến độ thành công", [])

    def _taken(self, entries: list[JsonObject]) -> list[JsonObject]:
        return entries[: len(entries) // 2] if self._partial else entries

    def _error(self) -> Verdict:
        return self.options.error_code, "Lỗi xử lý", []

    def _take_answer(self, body: JsonObject) -> Verdict:
        """The agency's answer to a dossier that was filed here."""
        o = self.options
        data: Any = body.get("data")
        fault = answer_fault(data) if body.get("type") == "2" else 'type phải là "2"'
        if fault:
            return o.limit_code, fault, []
        if self._ledger.find(data["MaHoSo"]) is None:
            return o.unknown_dossier_code, "Không tìm thấy hồ sơ", []
        self._ledger.write_answer(data)
        return "0", "Đồng bộ trạng thái thành công", []

    def _take_question_answers(self, body: JsonObject) -> Verdict:
        """Answers to questions that citizens asked here."""
        o = self.options
        entries = body.get("data")
        if not isinstance(entries, list) or not entries:
            return o.limit_code, "data phải có câu trả lời", []
        for entry in entries:
            if fault := question_answer_fault(entry):
                return o.limit_code, fault, []
            if not self._lists.asked(entry["HOIDAPID"]):
                return o.unknown_dossier_code, "Không tìm thấy câu hỏi", []
        self._ledger.write_question_answers(self._taken(entries))
        return self._error() if self._partial else ("0", "Đồng bộ kết quả hỏi đáp thành công", [])

    def _logged(self, body: JsonObject, verdict: Verdict) -> Verdict:
        data = body.get("data")
        first = data[0] if isinstance(data, list) and data else data
        first = first if isinstance(first, dict) else {}
        code = str(body.get("mahoso") or first.get("MaHoSo") or "")
        self._ledger.log(str(body.get("service")), code, verdict[0], verdict[1])
        return verdict

    def _form(self, code: str) -> int | str:
        form = self.options.code_form
        number = form == "number" or (form == "mixed" and self._random.random() < 0.5)
        return int(code) if number else code

    def _reply(self, code: str, message: str, result: Any) -> Response:
        return JSONResponse({"error_code": self._form(code), "message": message, "result": result})


async def _file(request: Request) -> Response:
    return Response(f"file {request.path_params['name']}".encode(), media_type="application/octet-stream")
