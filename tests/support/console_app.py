"""Makes the console over a filled read model, without Kafka, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from hub.config import ConsoleSettings, GatewaySettings, Settings
from hub.console.app import make_app
from hub.control.directory import Directory
from hub.control.records import Subscriber
from hub.deadletter.book import Book
from hub.kafka import topics
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from tests.support.events import T0, delivery, dossier_event
from tests.support.readmodel import CODE, CODEC, Rec, project

TOKEN = "operator-token-of-the-test"


async def make(
    tmp_path: Path, host: str = "127.0.0.1", more: dict[str, Any] | None = None, letters: Book | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        data_dir=tmp_path, console=ConsoleSettings(host=host), gateway=GatewaySettings(admin_token=SecretStr(TOKEN))
    )
    engine = open_engine(settings)
    person = {"name": "Nguyễn Thị Ánh", "kind": "CITIZEN", "identity_number": "060123456789"}
    key, value, headers = dossier_event(
        CODEC, CODE, 1, applicant=person, note="Đã thẩm định", procedure_code="1.004194", **more or {}
    )
    bad = delivery(
        CODEC, CODE, "national", [1], "RETRY_SCHEDULED", error_kind="timeout", answer="<script>alert(1)</script>"
    )
    project(
        engine,
        [
            Rec(topics.EVENTS, 0, 0, key, value, headers),
            Rec(topics.DELIVERIES, 0, 0, b"", bad),
            Rec(topics.DELIVERIES, 0, 1, b"", delivery(CODEC, CODE, "national", [1], at=T0 + 99)),
        ],
    )
    directory = Directory(settings)
    directory._apply(
        "subscriber",
        "national",
        Subscriber(name="national", kind="national-portal", title="Cổng DVCQG").model_dump_json().encode(),
    )
    transport = httpx.ASGITransport(make_app(settings, ReadModel(engine), directory, letters or Book()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client
    engine.dispose()
