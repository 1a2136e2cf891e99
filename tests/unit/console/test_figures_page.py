"""The page and the read API of figures; `hub figures`."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import openpyxl
import pytest
from fastapi import FastAPI

from hub.cli.main import main
from hub.config import Settings
from hub.console.app import make_app
from hub.control.directory import Directory
from hub.deadletter.book import Book
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from tests.support.figures import fill


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    settings = Settings(data_dir=tmp_path)
    engine = open_engine(settings)
    fill(engine)
    yield make_app(settings, ReadModel(engine), Directory(settings), Book())
    engine.dispose()


async def get(app: FastAPI, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        return await client.get(path)


async def test_every_number_of_the_page_opens_to_as_many_codes(app: FastAPI) -> None:
    first = (await get(app, "/so-lieu?thang=2026-10&co-quan=H11.12")).text
    assert "UBND thành phố Phan Thiết" in first
    assert "nay: UBND phường Phan Thiết" in first
    links = re.findall(r'<a href="(/so-lieu\?[^"]*so=[^"]+)">([\d.]+)</a>', first)
    assert len(links) > 20
    for link, shown in links:
        opened = (await get(app, html.unescape(link))).text
        block = re.search(r'<p class="codes">(.*?)</p>', opened, re.S)
        assert block is not None, link
        assert block[1].count("<code>") == int(shown), link


async def test_the_sum_of_one_agency_is_not_called_the_province(app: FastAPI) -> None:
    assert "Toàn tỉnh" in (await get(app, "/so-lieu?thang=2026-10")).text
    assert "Toàn tỉnh" not in (await get(app, "/so-lieu?thang=2026-10&co-quan=H11.12")).text


@pytest.mark.parametrize(
    ("query", "field"),
    [("thang=2026-13", "month"), ("thang=2026-10&co-quan=Phan", "agency"), ("thang=2999-01", "month")],
)
async def test_what_cannot_be_counted_is_said(app: FastAPI, query: str, field: str) -> None:
    answer = await get(app, "/so-lieu?" + query)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{field}: ")


async def test_this_month_and_an_unknown_number(app: FastAPI) -> None:
    assert (await get(app, "/so-lieu")).status_code == 200
    page = await get(app, '/so-lieu?thang=2026-10&so="><script>')
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert '<p class="codes">' not in page.text


async def test_read_api(app: FastAPI) -> None:
    found = (await get(app, "/v1/figures/2026-10?agency=000.00.12.H11")).json()
    assert found["agencies"][0]["figures"]["late"]["count"] == 5
    assert (await get(app, "/v1/figures/october")).status_code == 400


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    engine = open_engine(Settings(data_dir=tmp_path))
    fill(engine)
    engine.dispose()
    code, out, _ = run(capsys, "figures", "--month", "2026-10", "--xlsx", "thang-10.xlsx")
    assert code == 0
    assert "UBND thành phố Phan Thiết" in out
    assert "57.3" in out
    assert "thang-10.xlsx" in out
    assert openpyxl.load_workbook(tmp_path / "thang-10.xlsx").sheetnames == ["Số liệu", "Điểm", "Trực tuyến", "Hồ sơ"]
    code, out, _ = run(capsys, "figures", "--month", "2026-10", "--agency", "H11.20", "--json")
    assert [a["agency"] for a in json.loads(out)["agencies"]] == ["H11.20"]
    code, _, err = run(capsys, "figures", "--month", "2026-1")
    assert (code, "month" in err) == (2, True)
    code, _, err = run(capsys, "figures", "--month", "2026-10", "--xlsx", "no/such/folder.xlsx")
    assert (code, "folder.xlsx" in err) == (3, True)


async def test_an_item_that_cannot_be_known_says_why(app: FastAPI) -> None:
    page = (await get(app, "/so-lieu?thang=2026-10&co-quan=H11.12")).text
    for id, why in (("4.4", "không mang DuocLayTuKhoDMQG"), ("5.1", "không qua trục"), ("5.3", "không qua trục")):
        (row,) = re.findall(rf"<tr><td>{re.escape(id)}</td>.*?</tr>", page, re.S)
        assert why in row
