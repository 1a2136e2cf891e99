"""Questions that citizens ask on the portal: golden messages, the simulator, unclear outcomes, the command."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer.testing

from hub import config
from hub.cli import questions as command
from hub.config import Settings
from hub.connect.portal import make_portal
from hub.connect.questions import HasQuestions, QuestionReply, opened
from hub.control.audit import AuditEntry
from hub.control.records import Subscriber
from hub.errors import Rejected, Retryable
from hub.untyped import JsonObject
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.tests.golden_script import ADDRESS, Script, given_session
from hub_connectors.national_portal.tests.site import GOLDEN, NationalSite, national_site
from hub_connectors.simulation.faults import FaultOrder
from tests.support.contract_events import milliseconds
from tests.support.golden import Golden

golden = Golden(GOLDEN)
LISTED, ANSWERED = golden.load("31_questions"), golden.load("32_question_answered")
GIVEN = QuestionReply(**{**ANSWERED["reply"], "at": milliseconds(ANSWERED["reply"]["at"])})
FILE = {"LayDanhSachHoiDapGuiTuDVCQG": LISTED["exchange"][0]["reply"]["body"]["result"],
        "LayNoiDungTraLoiTheoCauHoi": {"7003": LISTED["exchange"][2]["reply"]["body"]["result"]}}  # fmt: skip


@asynccontextmanager
async def scripted(told: JsonObject, **settings: Any) -> AsyncIterator[tuple[NationalPortal, Script]]:
    script = Script(told["exchange"])
    known = {"adapter_url": ADDRESS, "username": "binhthuan", **told["settings"], **settings}
    portal = NationalPortal(NationalPortalSettings.model_validate(known), "golden-password", script)
    await portal.open()
    try:
        await given_session(portal._opened())
        yield portal, script
    finally:
        await portal.close()


@asynccontextmanager
async def site_with_questions(folder: Path) -> AsyncIterator[NationalSite]:
    lists = folder / "lists.json"
    lists.write_text(json.dumps(FILE), encoding="utf-8")
    async with national_site(folder, catalogue=str(lists)) as site:
        yield site


@asynccontextmanager
async def at(site: NationalSite, **settings: Any) -> AsyncIterator[HasQuestions]:
    async with opened(make_portal(site.subscriber(**settings))) as portal:
        assert portal is not None
        yield portal


async def test_the_list_as_the_golden_messages() -> None:
    async with scripted(LISTED) as (portal, script):
        found = await portal.questions("citizens")
        assert [asdict(one) for one in found] == LISTED["questions"]
        assert script.left == []


async def test_an_answer_as_the_golden_messages() -> None:
    async with scripted(ANSWERED) as (portal, script):
        answer = await portal.answer_question(GIVEN, False)
        assert answer is not None
        assert (answer.status, script.left) == (200, [])


async def test_settings_change_the_wire() -> None:
    told = json.loads(json.dumps(ANSWERED))
    told["exchange"][0]["request"]["path"] = "/XrdAdapter/RestService/forward/mapi/g"
    told["exchange"][1]["request"]["body"]["data"][0]["NGAYTRALOI"] = "20261103013000"
    async with scripted(told, question_endpoint="integration", question_dates="yyyyMMddHHmmss") as (portal, script):
        assert await portal.answer_question(GIVEN, False) is not None
        assert script.left == []


@pytest.mark.parametrize("name", golden.names("simulator_questions"))
async def test_the_simulator_answers_as_the_golden_messages(name: str, tmp_path: Path) -> None:
    told = golden.load(name)
    async with site_with_questions(tmp_path) as site, httpx.AsyncClient(base_url=site.url, trust_env=False) as http:
        login = golden.request({"golden": "01_login", "call": 0})
        headers = {"dstcode": "VN:GOV:000.00.00.G22:vpcpdvcprovider"}
        session = (await http.post(login["path"], json=login["body"], headers=headers)).json()["session"]
        for call in told["exchange"]:
            body = json.loads(json.dumps(call["request"]["body"]).replace("<session>", session))
            reply = (await http.post(call["request"]["path"], json=body, headers=headers)).json()
            wanted = call["reply"]["body"]
            assert (str(reply["error_code"]), reply["message"]) == ("0", wanted["message"])
            assert reply["result"] == wanted.get("result", [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"HOIDAPID": ""}, "5"),
        ({"NOIDUNGTRALOI": " "}, "5"),
        ({"NGAYTRALOI": "3/11/2026"}, "5"),
        ({"X": ""}, "5"),
        ({"HOIDAPID": "1"}, "2"),  # well-formed, but nobody asked it
    ],
)
async def test_the_simulator_refuses_what_is_no_answer(change: dict[str, str], code: str, tmp_path: Path) -> None:
    entry = ANSWERED["exchange"][1]["request"]["body"]["data"][0] | change
    async with site_with_questions(tmp_path) as site:
        portal = make_portal(site.subscriber())
        assert isinstance(portal, NationalPortal)
        await portal.open()
        reply = await portal._begun().call("DongBoKetQuaHoiDapGuiTuDVCQG", {"data": [entry]})
        await portal.close()
        assert reply.code == code
        assert site.rows("SELECT * FROM question_answers") == []


async def test_an_answer_whose_outcome_is_unclear_is_cleared_up_by_the_look_up(tmp_path: Path) -> None:
    async with site_with_questions(tmp_path) as site:
        site.app.plan._forced.extend(["none", "none", "dropped_reply"])  # login, look-up, the answer itself
        async with at(site) as portal:
            with pytest.raises(Retryable):
                await portal.answer_question(GIVEN, False)
            assert await portal.answer_question(GIVEN, False) is None, "it stands there already"
        assert site.rows("SELECT count(*) FROM question_answers") == [(1,)]


async def test_another_answer_is_replaced_only_when_told(tmp_path: Path) -> None:
    other = QuestionReply("7003", "", "Năm ngày.", "Lê Văn C", "", GIVEN.at)
    async with site_with_questions(tmp_path) as site, at(site) as portal:
        with pytest.raises(Rejected) as refused:
            await portal.answer_question(other, False)
        assert refused.value.reason == "conflict"
        assert await portal.answer_question(other, True) is not None
        ((body,),) = site.rows("SELECT body FROM question_answers")
        assert json.loads(body)["MADONVI"] == "000.00.00.H11", "the province's own code where nobody told another"
        assert [one.answer for one in await portal.questions("citizens")][2] == "Năm ngày."


async def test_another_portal_has_no_questions() -> None:
    async with opened(make_portal(Subscriber(name="x", kind="kafka-topic"))) as portal:
        assert portal is None


def test_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio
    import threading

    audited: list[AuditEntry] = []
    found: dict[str, Subscriber] = {}

    async def record(_: Settings, *entries: AuditEntry) -> None:
        audited.extend(entries)

    async def get(_: Settings, name: str) -> Subscriber:
        return found[name]

    monkeypatch.setattr(config, "load", lambda: Settings(data_dir=tmp_path))
    monkeypatch.setattr("hub.control.audit.record", record)
    monkeypatch.setattr("hub.admin.subscribers.get", get)
    runner, ready, done = typer.testing.CliRunner(), threading.Event(), threading.Event()
    rows: list[Any] = []

    async def serve() -> None:
        async with site_with_questions(tmp_path) as site:
            found["dvcqg"] = site.subscriber()
            ready.set()
            await asyncio.to_thread(done.wait, 60)
            rows.extend(site.rows("SELECT json_extract(body, '$.MADONVI') FROM question_answers"))

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        listed = runner.invoke(command.app, ["list", "dvcqg", "--json", "--agency", "H11.12"])
        assert [one["id"] for one in json.loads(listed.stdout)] == ["7001"], "7003 has an answer"
        every = runner.invoke(command.app, ["list", "dvcqg", "--json", "--all"])
        assert [one["id"] for one in json.loads(every.stdout)] == ["7001", "7002", "7003"]
        words = ["answer", "dvcqg", "7001", "--by", "Lê Văn C", "--text-file", "-", "--why", "phiếu 12"]
        assert "sent" in runner.invoke(command.app, words, input="Đơn, ảnh.\n").stdout
        assert "already" in runner.invoke(command.app, words, input="Đơn, ảnh.\n").stdout
        unknown = runner.invoke(command.app, ["answer", "dvcqg", "9", "--by", "x", "--text-file", "-"], input="a")
        assert isinstance(unknown.exception, Rejected)
        assert unknown.exception.reason == "unknown"
    finally:
        done.set()
        thread.join(60)
    assert rows == [("000.00.12.H11",)], "the agency that was asked, sent once"
    assert [(str(one.target), one.result, one.reason, one.why) for one in audited] == [
        ("question/dvcqg 7001", "done", "", "phiếu 12"), ("question/dvcqg 7001", "done", "", "phiếu 12"),
        ("question/dvcqg 9", "failed", "dvcqg lists no question '9'", ""),
    ]  # fmt: skip


async def test_bad_lists_of_questions(tmp_path: Path) -> None:
    row = {"HOIDAPID": 1, "NOIDUNG": unicodedata.normalize("NFD", "Hỏi gì?"), "TRALOIID": 2, "NOIDUNGTRALOI": "x"}
    lists = {
        "[]": [], "repeated": [row, row], "many": [{**row, "HOIDAPID": n} for n in range(1, 10_001)],
        "no rows": ["x", None, 3],
    }  # fmt: skip
    found = {}
    async with site_with_questions(tmp_path) as site, at(site) as portal:
        for name, rows in lists.items():
            (tmp_path / "lists.json").write_text(json.dumps({"LayDanhSachHoiDapGuiTuDVCQG": rows}), "utf-8")
            found[name] = await portal.questions("citizens")
        site.app.plan.order(FaultOrder(force=("expired_session",)))
        assert len(await portal.questions("citizens")) == 0, "a new session, and on"
        site.app.plan.order(FaultOrder(force=("html",)))
        with pytest.raises(Retryable) as page:
            await portal.questions("citizens")
        assert page.value.kind == "html"
        assert site.rows("SELECT count(*) FROM calls WHERE service = 'LayNoiDungTraLoiTheoCauHoi'") == [(0,)]
    assert {name: len(told) for name, told in found.items()} == {"[]": 0, "repeated": 1, "many": 10_000, "no rows": 0}
    assert found["repeated"][0].text == "Hỏi gì?", "NFC"


async def test_through_the_wrapper_of_the_province(tmp_path: Path) -> None:
    async with site_with_questions(tmp_path) as site, at(site, mode="wrapper") as portal:
        assert [asdict(one) for one in await portal.questions("citizens")] == LISTED["questions"]
        assert await portal.answer_question(GIVEN, False) is not None
        assert await portal.answer_question(GIVEN, False) is None
        assert await portal.questions("agencies") == []
