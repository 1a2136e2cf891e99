"""A dossier filed on the simulated portal is kept there and passed on to the province, under the same refId again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.untyped import JsonObject
from hub_connectors.national_portal.tests.site import GOLDEN, national_site
from hub_connectors.simulation.server import Connections, running

# The golden call, written by hand from docs/field/packets.md#inbound.
CALL: JsonObject = json.loads((GOLDEN / "23_inbound_filed.json").read_text("utf-8"))["exchange"][0]
ENTRY: JsonObject = CALL["body"]["data"][0]


@asynccontextmanager
async def province(calls: list[tuple[str, JsonObject]]) -> AsyncIterator[str]:
    async def take(request: Request) -> Response:
        calls.append((request.url.path, json.loads(await request.body())))
        return JSONResponse({"error_code": 0 if len(calls) == 1 else 1, "message": "Thành công"})

    app = Starlette(routes=[Route("/inbound/national-portal/{service}", take, methods=["POST"])])
    async with running(app, Connections()) as url:
        yield f"{url}/inbound/national-portal"


async def filed(url: str, body: Any) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"{url}/nop-ho-so", json=body)


async def test_it_is_kept_and_passed_on_as_the_golden_call(tmp_path: Path) -> None:
    calls: list[tuple[str, JsonObject]] = []
    async with (
        province(calls) as address,
        national_site(tmp_path, inbound_url=address, madonvi="000.00.00.H11") as site,
    ):
        first, again = await filed(site.url, ENTRY), await filed(site.url, ENTRY)
        assert (first.json()["error_code"], again.json()["error_code"]) == (0, 1)
        assert [path for path, _ in calls] == ["/inbound/national-portal/addtthcKhuyenMai"] * 2
        assert calls[0][1]["data"] == CALL["body"]["data"]
        assert calls[0][1].keys() == CALL["body"].keys()
        assert calls[0][1]["refId"] == calls[1][1]["refId"] != ""
        assert site.rows("SELECT ma_ho_so, trang_thai, writes FROM dossiers") == [(ENTRY["MaHoSo"], "1", 1)]
        assert site.rows("SELECT service, error_code FROM calls") == [("addtthcKhuyenMai", n) for n in ("0", "1")]


async def test_what_cannot_be_passed_on_is_said(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        assert (await filed(site.url, ENTRY)).status_code == 409
        assert (await filed(site.url, ["x"])).status_code == 400
    async with national_site(tmp_path, inbound_url="http://127.0.0.1:1/inbound/national-portal") as site:
        answer = await filed(site.url, ENTRY)
        assert (answer.status_code, answer.json()["error_code"]) == (502, -1)
        assert site.rows("SELECT count(*) FROM dossiers") == [(1,)], "it was filed all the same"
