"""The delivery role and the national portal's simulator as the processes they are: more than deliveries."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from hub.admin import subscribers
from hub.admin.audit_list import Wanted, entries
from hub.control.audit import Actor
from hub.projector import satisfaction_timer
from tests.support.command import hub
from tests.support.delivery import until
from tests.support.delivery_fixture import bench  # noqa: F401
from tests.support.roles import RoleProcess, role
from tests.support.simulators import simulator

pytestmark = pytest.mark.broker

PAPER = {"name": "Đơn đề nghị", "result": False}


async def test_a_file_out_of_reach_is_named_in_the_receipt_and_the_dossier_goes_on(bench, tmp_path):  # noqa: F811
    with simulator("national-portal", tmp_path) as site:
        wanted = site.subscriber(
            bench.name, settings={"file_hosts": ["127.0.0.1"]}, filter={"agencies": (bench.agency,)}, backfill="log"
        )
        await subscribers.add(bench.settings, wanted.model_dump(exclude={"created_at"}), Actor("test"))
        site.admin("faults", {"force": ["unreachable_link"]})
        papers = [{**PAPER, "id": "TEP-1", "url": f"{site.address}/downloadfile/1"}]
        await bench.events((1, 1), procedure_code="1.004194", attachments=papers)
        with role(f"deliver:{bench.name}", bench.settings):
            await until(lambda: _delivered(bench, 1), "the dossier with a dead link", 60)
            await bench.events((1, 2), procedure_code="1.004194", attachments=papers)
            await until(lambda: _delivered(bench, 2), "its next step", 60)
        first, second = await bench.receipts("DELIVERED")
        assert first["answer"].startswith("files out of reach, 1 of 1 links: TEP-1 connect; ")
        assert "out of reach" not in second["answer"]
        assert site.rows("SELECT count(*) FROM progress_lines") == [(2,)]
    assert await bench.dead_letters() == []


async def _delivered(bench, count) -> bool:  # noqa: F811
    return len(await bench.receipts("DELIVERED")) == count


async def test_ratings_are_sent_once_a_month_though_the_projector_is_killed(bench, tmp_path):  # noqa: F811
    """First killed when the portal has them and the hub does not know it, then when it knows."""
    now = datetime.now(UTC) + timedelta(hours=7)
    last_month = (now.replace(day=1) - timedelta(days=10)).replace(hour=3, tzinfo=UTC)
    figures = {"national": bench.name, "satisfaction": "month", "satisfaction_hour": 0, "satisfaction_retry_s": 0.5}
    own = bench.settings.figures.model_validate(figures)
    tables = bench.settings.readmodel.model_copy(update={"url": f"sqlite:///{tmp_path}/readmodel.sqlite"})
    settings = bench.settings.model_copy(update={"figures": own, "readmodel": tables})
    told = "SELECT count(*) FROM calls WHERE service = 'DongBoDanhGia' AND error_code = '0'"
    with simulator("national-portal", tmp_path) as site:
        await subscribers.add(
            bench.settings,
            site.subscriber(bench.name, backfill="log").model_dump(exclude={"created_at"}),
            Actor("test"),
        )
        await bench.events((1, 1), step="RATED", status="RETURNED", at=int(last_month.timestamp() * 1000), rating=4)
        site.admin("faults", {"force": ["none", "dropped_reply"]})  # the login, then the call: it is told as unclear
        frozen = settings.model_copy(update={"figures": own.model_copy(update={"satisfaction_retry_s": 600.0})})
        projector = RoleProcess("projector", frozen)
        try:
            await until(lambda: site.rows(told) == [(1,)], "sent", 90)
            assert await asyncio.to_thread(projector.kill) == -9
            assert await _audited(bench) == []
            projector = RoleProcess("projector", settings)
            await until(lambda: _audited(bench), "noted", 90)
            assert await asyncio.to_thread(projector.kill) == -9
            projector = RoleProcess("projector", settings)
            await until(lambda: "hub_satisfaction_due 0.0" in projector.get("/metrics")[1], "ready", 60)
            await _looked_again(projector)
            assert await asyncio.to_thread(projector.terminate) == 0, projector.tail()
        finally:
            if projector.process.poll() is None:
                projector.kill()
        assert site.rows(told) == [(2,)], "again after the unclear answer, not after the one that was noted"
    assert await _audited(bench) == ["sent, 1 ratings"]


async def _audited(bench) -> list[str]:  # noqa: F811
    found = await entries(bench.settings, Wanted(action=satisfaction_timer.ACTION, target=f"subscriber/{bench.name}"))
    return [entry.detail.partition(": ")[2] for entry in found]


async def _looked_again(projector: RoleProcess) -> None:
    """Longer than the timer waits between two looks; it leaves no other trace when there is nothing to do."""
    until_s = time.monotonic() + satisfaction_timer.LOOK_S + 2
    while time.monotonic() < until_s:
        await asyncio.sleep(0.2)
        assert projector.process.poll() is None, projector.tail()


async def test_questions_by_command_from_the_list_to_the_audit(bench, tmp_path):  # noqa: F811
    asked = {"HOIDAPID": 7001, "NOIDUNG": "Nộp lệ phí ở đâu?", "MADONVI": "000.00.12.H11"}
    lists = tmp_path / "lists.json"
    lists.write_text(json.dumps({"LayDanhSachHoiDapGuiTuDVCQG": [asked, {**asked, "HOIDAPID": 7002}]}), "utf-8")
    (tmp_path / "answer.txt").write_text("Tại bộ phận một cửa.", "utf-8")
    words = ("answer", bench.name, "7001", "--by", "Lê Văn C", "--text-file", str(tmp_path / "answer.txt"))
    with simulator("national-portal", tmp_path, "--catalogue", str(lists)) as site:
        wanted = site.subscriber(bench.name, backfill="none").model_dump(exclude={"created_at"})
        await subscribers.add(bench.settings, wanted, Actor("test"))
        site.admin("faults", {"force": [*["none"] * 5, "dropped_reply"]})  # the sixth call answers
        lost, *_ = await hub(bench.settings, "questions", *words)
        again, said, _ = await hub(bench.settings, "questions", *words)
        code, out, _ = await hub(bench.settings, "questions", "list", bench.name, "--json")
        site.admin("down")
        away, _, told = await hub(bench.settings, "questions", "list", bench.name)
        assert (lost, again, code, away) == (75, 0, 0, 75), told
        assert said.strip() == "this answer stands there already", "the first one had arrived"
        assert [one["id"] for one in json.loads(out)] == ["7002"]
        ((body,),) = site.rows("SELECT body FROM question_answers")
        assert (json.loads(body)["MADONVI"], json.loads(body)["HOIDAPID"]) == ("000.00.12.H11", "7001")
    acts = await entries(bench.settings, Wanted(target=f"question/{bench.name} 7001"))
    assert [(entry.action, entry.result) for entry in reversed(acts)] == [
        ("question.answer", "failed"), ("question.answer", "done"),
    ]  # fmt: skip
