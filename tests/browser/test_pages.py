"""The pages in a real browser: what a person sees, at the width of a desk and of a phone."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest

from hub.config import Settings
from hub.console.app import make_app
from hub.control.directory import Directory
from hub.control.records import Subscriber
from hub.deadletter import record as deadletter
from hub.deadletter.book import Book
from hub.errors import BadRecord
from hub.kafka import topics
from hub.observe.server import listen, serve_app
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from tests.support.browser import browse
from tests.support.events import T0, delivery, dossier_event
from tests.support.readmodel import CODEC, Rec, project

pytestmark = pytest.mark.browser
CODE = "000.00.12.H11-231114-0001"
STEPS = [
    ("RECEIVED", "ACCEPTED", "Tiếp nhận hồ sơ, hẹn trả ngày 20/11/2023"),
    ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "Bổ sung bản sao giấy chứng nhận quyền sử dụng đất"),
    ("SUPPLEMENT_GIVEN", "IN_PROCESS", "Công dân đã bổ sung"),
    ("FINISHED", "FINISHED", "Đã ký giấy phép xây dựng"),
    ("RETURNED", "RETURNED", "Trả kết quả tại bộ phận một cửa"),
]


def fill(settings: Settings) -> tuple[ReadModel, Book]:
    engine = open_engine(settings)
    person = {"name": "Nguyễn Thị Ánh Tuyết", "kind": "CITIZEN", "phone": "0912345678"}
    facts = {
        "applicant": person, "procedure_code": "1.004194", "procedure_name": "Cấp giấy phép xây dựng nhà ở riêng lẻ",
        "agency_code": "H11.12", "agency_name": "Phòng Kinh tế và Hạ tầng", "channel": "ONLINE",
        "abstract": "Xin cấp giấy phép xây dựng", "received_at": T0, "due_at": T0 + 6 * 86_400_000,
    }  # fmt: skip
    records = []
    for seq, (step, status, note) in enumerate(STEPS, start=1):
        at = T0 + seq * 80_000_000
        key, value, headers = dossier_event(CODEC, CODE, seq, step=step, status=status, note=note, at=at, **facts)
        records.append(Rec(topics.EVENTS, 0, seq, key, value, headers))
    for number in range(2, 40):
        code = f"000.00.12.H11-231114-{number:04}"
        key, value, headers = dossier_event(CODEC, code, 1, status="IN_PROCESS", due_at=T0, agency_code="H11.12")
        records.append(Rec(topics.EVENTS, 1, number, key, value, headers))
    html = "<html><body>502 Bad Gateway</body></html>"
    attempt: Any
    for offset, (who, seqs, outcome, attempt) in enumerate(
        [
            ("national", [1], "RETRY_SCHEDULED", {"error_kind": "html", "http_status": 502, "answer": html}),
            ("national", [1, 2, 3, 4, 5], "DELIVERED", {"attempt": 2, "http_status": 200, "latency_ms": 143}),
            ("provincial", [1], "DELIVERED", {"http_status": 204, "latency_ms": 12}),
        ]
    ):
        records.append(Rec(topics.DELIVERIES, 0, offset, b"", delivery(CODEC, CODE, who, seqs, outcome, **attempt)))
    for offset, (reason, detail) in enumerate(
        [("date", "occurred_at: 31/02/2023 is no date"), ("status", "step 'XYZ'")]
    ):
        letter = deadletter.build(
            stage="core", error=BadRecord(reason, detail), topic="hub.ingress", partition=0, offset=offset,
            key=CODE.encode(), value=b"x",
        )  # fmt: skip
        records.append(Rec(topics.DEAD_LETTERS, 0, offset, letter[1], letter[2], letter[3]))
    project(engine, records)
    letters = Book()
    for one in records:
        if one.topic == topics.DEAD_LETTERS:
            letters.take(cast(Any, one))
    return ReadModel(engine), letters


class _Role(BaseHTTPRequestHandler):
    """Stands in for a delivery role's observe port, as the console reads it."""

    def do_GET(self) -> None:
        ready = self.path == "/ready"
        body = (
            json.dumps({"ok": True, "checks": {}})
            if ready
            else 'hub_link_up{connection="national"} 0.0\nhub_link_up{connection="provincial"} 1.0\n'
            'hub_link_parked_dossiers{connection="national"} 3.0\n'
        )
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None: ...


@contextlib.asynccontextmanager
async def console(tmp_path: Path) -> AsyncIterator[str]:
    settings = Settings(data_dir=tmp_path)
    directory = Directory(settings)
    for name, title in (("national", "Cổng Dịch vụ công quốc gia"), ("provincial", "Cổng thông tin tỉnh")):
        found = Subscriber(name=name, kind="x", title=title)
        directory._apply("subscriber", name, found.model_dump_json().encode())
    role = HTTPServer(("127.0.0.1", 0), _Role)
    Thread(target=role.serve_forever, daemon=True).start()
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    note = {"role": "deliver:national", "observe": f"http://127.0.0.1:{role.server_port}"}
    (settings.run_dir / "deliver_national.json").write_text(json.dumps(note))
    sock = listen("127.0.0.1", 0)
    try:
        model, letters = fill(settings)
        async with serve_app(make_app(settings, model, directory, letters), sock, door=settings.doors):
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        role.shutdown()
        role.server_close()


async def test_a_person_sees_the_cut_link_and_finds_the_dossier(chromium: str, tmp_path: Path) -> None:
    async with console(tmp_path) as address:
        overview = await browse(chromium, tmp_path, address + "/")
        assert "Cổng Dịch vụ công quốc gia" in overview
        assert "Mất kết nối" in overview
        assert "Đang kết nối" in overview
        page = await browse(chromium, tmp_path, f"{address}/tim?q=231114-0001")
        for text in ("Cấp giấy phép xây dựng nhà ở riêng lẻ", "Đã trả kết quả", "N** T** Á** T**", "html"):
            assert text in page, text
        for name, size, path in (
            ("overview", "1280,900", "/"),
            ("dossier", "1280,1100", f"/ho-so/{CODE}"),
            ("phone", "420,1400", "/"),
            ("letters", "1280,500", "/thu-loi"),
        ):
            shot = tmp_path / f"{name}.png"
            await browse(chromium, tmp_path, address + path, f"--screenshot={shot}", f"--window-size={size}")
            assert shot.stat().st_size > 10_000, name
