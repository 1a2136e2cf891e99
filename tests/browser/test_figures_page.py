"""The page of figures in a real browser: a person opens a number and sees its dossiers."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.config import Settings
from hub.console.app import make_app
from hub.control.directory import Directory
from hub.deadletter.book import Book
from hub.observe.server import listen, serve_app
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from tests.support.browser import browse
from tests.support.figures import fill

pytestmark = pytest.mark.browser


async def test_a_number_opens_to_its_dossiers(chromium: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    engine = open_engine(settings)
    fill(engine)
    sock = listen("127.0.0.1", 0)
    async with serve_app(make_app(settings, ReadModel(engine), Directory(settings), Book()), sock, door=settings.doors):
        address = f"http://127.0.0.1:{sock.getsockname()[1]}/so-lieu?thang=2026-10"
        page = await browse(chromium, tmp_path, address)
        for text in ("Số liệu tháng 10/2026", "UBND thị xã La Gi", "Toàn tỉnh", "Trung bình"):
            assert text in page, text
        page = await browse(chromium, tmp_path, address + "&co-quan=H11.12&so=late")
        assert "UBND thành phố Phan Thiết, quá hạn: 5" in page
        assert "H11.12-261007-0001" in page
        for name, size in (("figures", "1280,1400"), ("phone", "420,1400")):
            shot = tmp_path / f"{name}.png"
            await browse(chromium, tmp_path, address, f"--screenshot={shot}", f"--window-size={size}")
            assert shot.stat().st_size > 20_000
    engine.dispose()
