"""Networks that record: what a connector sends, and what the far end says to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx

Reply = httpx.Response
Answers = Callable[[httpx.Request], Reply]

_MACHINE = {"accept-encoding": "(as installed)"}
_VERSION = re.compile(r"/[0-9.]+$")


class Recorder(httpx.AsyncBaseTransport):
    """Keeps every request and answers as told."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> Reply:
        await request.aread()
        self.requests.append(request)
        return self.answers(request)


class NationalPortal(Recorder):
    """A national portal that takes everything. known: it has the dossier before the first call."""

    def __init__(self, known: bool = False) -> None:
        super().__init__(self._answer)
        self.known = known

    def _answer(self, request: httpx.Request) -> Reply:
        call = json.loads(request.content)
        service = call.get("service") or request.url.path.rpartition("/")[2]
        if service == "login":
            return Reply(200, json={"session": "frozen-session", "error_code": 0})
        rows = [{"MaHoSo": call["mahoso"]}] if service == "TraCuuHoSo" and self.known else []
        self.known |= service == "DongBoHoSoMC"
        return Reply(200, json={"error_code": 0, "message": "Thành công", "result": rows})


def script(*replies: Reply) -> Recorder:
    """Gives these answers in turn, and the last one for ever."""
    left = list(replies)
    return Recorder(lambda _: left.pop(0) if len(left) > 1 else left[0])


def told(request: httpx.Request, body: bool = True) -> dict[str, Any]:
    """A request in readable form: headers in the case in which they go out, the body as the JSON that it is."""
    sent = {name.decode(): value.decode() for name, value in request.headers.raw}
    headers = {name: _MACHINE.get(name.lower(), _VERSION.sub("/*", value)) for name, value in sent.items()}
    out: dict[str, Any] = {"method": request.method, "url": str(request.url), "headers": headers}
    return out | ({"body": json.loads(request.content)} if body and request.content else {})


def bodies(requests: Sequence[httpx.Request]) -> list[Any]:
    """Path and JSON body of each call."""
    return [{"path": request.url.raw_path.decode(), "body": json.loads(request.content)} for request in requests]
