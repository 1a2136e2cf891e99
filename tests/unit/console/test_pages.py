"""The pages and the read API over a filled read model, without Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.admin import letter_list
from hub.console import words
from hub.deadletter.reasons import REASONS, STAGES
from hub.model.deadline_watch import HEADER_OF
from hub.model.transitions import STATUSES, STEPS
from tests.support.console_app import TOKEN, make
from tests.support.events import T0
from tests.support.letters import book, letter, state
from tests.support.readmodel import CODE


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for found in make(tmp_path):
        yield found


@pytest.fixture
async def exposed(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for found in make(tmp_path, "0.0.0.0"):
        yield found


async def test_the_api_gives_state_events_and_attempts_with_personal_data_hidden(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"/v1/dossiers/{CODE}")).json()
    assert found["status"] == "IN_PROCESS"
    assert [e["hub_seq"] for e in found["events"]] == [1]
    assert [d["outcome"] for d in found["deliveries"]] == ["DELIVERED", "RETRY_SCHEDULED"]
    assert found["state"]["applicant"]["name"] == "N** T** Á**"
    assert "060123456789" not in str(found)
    assert "Ánh" not in str(found)


async def test_the_operator_s_token_shows_personal_data(client: httpx.AsyncClient) -> None:
    for headers in ({"Authorization": f"Bearer {TOKEN}"},):
        found = (await client.get(f"/v1/dossiers/{CODE}", headers=headers)).json()
        assert found["state"]["applicant"]["name"] == "Nguyễn Thị Ánh"
    assert (await client.get(f"/ho-so/{CODE}", auth=("operator", TOKEN))).text.count("Nguyễn Thị Ánh") == 1
    assert (await client.get(f"/v1/dossiers/{CODE}", headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_off_loopback_nothing_is_shown_without_the_token(exposed: httpx.AsyncClient) -> None:
    for path in ("/", f"/ho-so/{CODE}", f"/v1/dossiers/{CODE}", "/v1/overview", "/thu-loi", "/tim?q=H11"):
        answer = await exposed.get(path)
        assert answer.status_code == 401, path
        assert "Basic" in answer.headers["www-authenticate"]
    assert (await exposed.get("/", auth=("x", TOKEN))).status_code == 200


async def test_the_dossier_s_page_in_vietnamese(client: httpx.AsyncClient) -> None:
    page = (await client.get(f"/ho-so/{CODE}")).text
    for text in (CODE, "Đang xử lý", "Đã nhận", "Sẽ gửi lại", "timeout", "N** T** Á**", "15/11/2023 05:14:20"):
        assert text in page, text
    assert "<script>" not in page  # the portal's answer is shown as text
    assert "&lt;script&gt;" in page


async def test_the_page_says_which_dates_nobody_told(tmp_path: Path) -> None:
    marks = ("theo bước Tiếp nhận", "tính theo thời hạn của thủ tục")
    for number, derived in enumerate((True, None)):
        facts = {"received_at": T0, "received_at_derived": derived, "due_at": T0 + 1, "due_at_derived": derived}
        async for client in make(tmp_path / str(number), more=facts):
            page = (await client.get(f"/ho-so/{CODE}")).text
            assert [mark in page for mark in marks] == [bool(derived)] * 2


async def test_pages_carry_a_strict_content_policy(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in answer.text
    assert "style=" not in answer.text


async def test_the_overview_names_each_connection(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    assert "Cổng DVCQG" in page
    assert "Không chạy" in page  # no role answers in this test
    assert (await client.get("/v1/overview")).json()["connections"][0]["last_success"] == T0 + 99


async def test_search_goes_to_the_only_hit_and_says_so_when_there_is_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/tim?q=231114-0001", follow_redirects=False)).headers["location"] == f"/ho-so/{CODE}"
    assert "Không tìm thấy" in (await client.get("/tim?q=khong-co")).text
    assert (await client.get("/ho-so/khong-co")).status_code == 404
    assert (await client.get("/v1/dossiers/khong-co")).status_code == 404


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 giây trước"), (59.9, "59 giây trước"), (3_600, "1 giờ trước"), (90_000, "1 ngày trước")],
)
def test_how_long_ago(seconds: float, text: str) -> None:
    assert words.ago(seconds) == text


def test_typed_text_is_composed() -> None:
    assert words.composed("Bi\u0300nh Thua\u0323\u0302n ") == "Bình Thuận"


def test_pages_have_a_word_for_all_that_they_may_show() -> None:
    assert words.STAGE.keys() == STAGES.keys()
    assert words.REASON.keys() == REASONS.keys()
    assert words.STATUS.keys() >= set(STATUSES)
    assert words.STEP.keys() >= {*STEPS, *HEADER_OF}
    for table in (words.STAGE, words.REASON, words.STATUS, words.STEP):
        assert all(words.composed(text) == text for text in table.values())


async def test_letters_that_are_done_are_no_errors_any_more(tmp_path: Path) -> None:
    """The console tells the numbers of the one book, which the command line and HTTP ask, too."""
    letters = book(*(letter(f"l{n}", n, stage=stage, key=CODE.encode()) for n, stage in enumerate(("core", "intake"))))
    async for client in make(tmp_path, letters=letters):
        told = (await client.get("/v1/overview")).json()["totals"]["dead_letters"]
        assert told == letter_list.numbers(letters)
        assert sorted((row["stage"], row["n"]) for row in told) == [("core", 1), ("intake", 1)]
        page = (await client.get("/thu-loi")).text
        assert "l0" in page
        assert "l1" in page
        letters.take(state("l1", 1))
        told = (await client.get("/v1/overview")).json()["totals"]["dead_letters"]
        assert told == [{"stage": "core", "reason": "date", "n": 1}]
        page = (await client.get("/thu-loi")).text
        assert "l0" in page
        assert "l1" not in page
        letters.take(state("l0", 0))
        assert (await client.get("/v1/overview")).json()["totals"]["dead_letters"] == []
        assert "Không có thư lỗi" in (await client.get("/thu-loi")).text
