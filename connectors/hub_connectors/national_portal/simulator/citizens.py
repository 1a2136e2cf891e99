"""The citizens' side of the simulated portal: POST /nop-ho-so files a dossier, which the portal keeps with status 1 and
passes on to the province by addtthcKhuyenMai (docs/field/packets.md#inbound).

The body is the dossier, named as in DongBoHoSoMC (which names the portal uses here is not published: grade I). The
answer is the province's own; the same dossier filed again is passed on again under the same refId.
"""

from __future__ import annotations

import json

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.untyped import JsonObject
from hub_connectors.national_portal.simulator.ledger import Ledger
from hub_connectors.national_portal.simulator.options import Options

PATH = "/nop-ho-so"
SERVICE = "addtthcKhuyenMai"
_TIMEOUT_S = 10.0
_AWAY = {"error_code": -1, "message": "Không gửi được hồ sơ về tỉnh"}


class Citizens:
    """Files dossiers; needs the option inbound_url."""

    def __init__(self, options: Options, ledger: Ledger) -> None:
        self._options, self._ledger = options, ledger

    async def file(self, request: Request) -> Response:
        """400: no dossier; 409: the province's address is not set; 502: the province is away."""
        try:
            entry = json.loads(await request.body())
            code = entry["MaHoSo"]
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error_code": -1, "message": "Thiếu MaHoSo"}, 400)
        if not self._options.inbound_url:
            return JSONResponse({"error_code": -1, "message": "Chưa cấu hình địa chỉ của tỉnh"}, 409)
        if self._ledger.find(code) is None:
            self._ledger.write_dossiers([{**entry, "TrangThaiHoSo": "1"}], "False")
        answer, status = await self._pass_on(code, entry)
        self._ledger.log(SERVICE, code, str(answer.get("error_code")), str(answer.get("message")))
        return JSONResponse(answer, status)

    async def _pass_on(self, code: str, entry: JsonObject) -> tuple[JsonObject, int]:
        body = {"madonvi": self._options.madonvi, "service": SERVICE, "refId": f"DVCQG-{code}", "data": [entry]}
        address = f"{self._options.inbound_url.rstrip('/')}/{SERVICE}"
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
                answer = (await client.post(address, json=body)).json()
        except (httpx.HTTPError, ValueError):
            return _AWAY, 502
        return (answer, 200) if isinstance(answer, dict) else (_AWAY, 502)
