"""The simulator against the golden messages: given these requests it must answer as the files say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.untyped import JsonObject, SettingsTable
from hub_connectors.national_portal.tests.site import GOLDEN, NationalSite, national_site
from tests.support.golden import Golden

golden = Golden(GOLDEN)
Call = JsonObject


async def _send(http: httpx.AsyncClient, request: Call, session: str) -> httpx.Response:
    body = json.loads(json.dumps(request["body"]).replace("<session>", session))
    headers = {"dstcode": "VN:GOV:000.00.00.G22:vpcpdvcprovider", **request.get("headers", {})}
    for name in request.get("absent_headers", []):
        headers.pop(name, None)
    return await http.request(
        request["method"], request["path"], params=request.get("query"), headers=headers, json=body
    )


async def _login(http: httpx.AsyncClient) -> str:
    reply = await _send(http, golden.request({"golden": "01_login", "call": 0}), "")
    return str(reply.json()["session"])


async def _before(http: httpx.AsyncClient, told: Call, session: str) -> None:
    for call in told.get("before", []):
        reply = await _send(http, golden.request(call), session)
        assert "thành công" in reply.json()["message"], reply.text


def _check(reply: httpx.Response, wanted: Call) -> None:
    assert reply.status_code == wanted["status"]
    body = reply.json()
    for field in wanted.get("same", []):
        given, told = body[field], wanted["body"][field]
        assert (str(given), given if field != "error_code" else "") == (
            str(told),
            told if field != "error_code" else "",
        )
    if "says" in wanted:
        assert wanted["says"] in body["message"]
    if "result_has" in wanted:
        assert wanted["result_has"].items() <= body["result"][0].items()
    if "session" in wanted["body"]:
        assert isinstance(body["session"], str)
        assert body["session"]
        assert str(body["error_code"]) == "0"
    if "inner_same" in wanted or "inner_says" in wanted:
        inner = json.loads(body["message"])
        assert wanted.get("inner_same", {}).items() <= inner.items()
        assert wanted.get("inner_says", "") in inner.get("message", "")


@pytest.mark.parametrize("name", golden.names("simulator"))
async def test_answers_as_the_golden_messages(name: str, tmp_path: Path) -> None:
    told = golden.load(name)
    options: SettingsTable = {k: tuple(v) if isinstance(v, list) else v for k, v in told.get("simulator", {}).items()}
    chosen = told.get("simulator_calls", range(len(told["exchange"])))
    async with (
        national_site(tmp_path, username="binhthuan", password="golden-password", **options) as site,
        httpx.AsyncClient(base_url=site.url, trust_env=False) as http,
    ):
        session = await _login(http)
        await _before(http, told, session)
        if told.get("dead_session"):
            session = "dead"
        for call in (told["exchange"][n] for n in chosen):
            _check(await _send(http, golden.request(call["request"]), session), call["reply"])


async def test_refused_calls_leave_nothing(tmp_path: Path) -> None:
    told = golden.load("14_limits_refused")
    async with national_site(tmp_path) as site, httpx.AsyncClient(base_url=site.url, trust_env=False) as http:
        session = await _login(http)
        for call in told["exchange"]:
            await _send(http, golden.request(call["request"]), session)
        assert site.rows("SELECT * FROM dossiers") == site.rows("SELECT * FROM progress_lines") == []
        refused = "SELECT count(*) FROM calls WHERE error_code <> '0'"
        assert site.rows(refused) == [(len(told["exchange"]),)]


async def test_error_code_comes_as_number_and_as_string(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site, httpx.AsyncClient(base_url=site.url, trust_env=False) as http:
        session = await _login(http)
        look_up = golden.request({"golden": "03_add_new_dossier", "call": 0})
        forms = {type((await _send(http, look_up, session)).json()["error_code"]) for _ in range(20)}
        assert forms == {int, str}


async def _status(site: NationalSite, **request: Any) -> int:
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as http:
        return (await http.post("/XrdAdapter/RestService/forward/mapi/g", **request)).status_code


async def test_calls_that_the_adapter_cannot_route_or_read(tmp_path: Path) -> None:
    dstcode = {"dstcode": "VN:GOV:000.00.00.G22:vpcpdvcprovider"}
    async with national_site(tmp_path) as site:
        assert await _status(site, json={}) == 400
        assert await _status(site, json={}, headers={"dstcode": "VN:GOV:other"}) == 400
        assert await _status(site, content=b"\xff", headers=dstcode) == 400
        assert await _status(site, json=[], headers=dstcode) == 400
