"""kill -9 of the delivery role, as the process it is, in the middle of its work against the portals' simulators."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict

import pytest

from hub.admin import subscribers
from hub.config import DeliverySettings
from hub.control.audit import Actor
from tests.support.contract_events import PATH
from tests.support.delivery import until
from tests.support.delivery_fixture import bench  # noqa: F401
from tests.support.roles import RoleProcess
from tests.support.simulators import Simulator, simulator

pytestmark = pytest.mark.broker

LIMITS = DeliverySettings(
    workers=8,
    retry_base_s=0.05,
    retry_cap_s=0.5,
    breaker_failures=30,
    breaker_open_s=0.3,
    request_timeout_s=5,
    drain_s=5,
)
FACTS = {"procedure_code": "1.004194", "procedure_name": "Cấp giấy phép", "agency_name": "UBND TP Phan Thiết"}


async def events(bench, dossiers, first=1, last=6):  # noqa: F811
    for seq in range(first, last + 1):
        step, status = PATH[(seq - 1) % len(PATH)]
        facts = FACTS | {"abstract": f"Bước {seq}"}
        await bench.events(*[(number, seq) for number in range(dossiers)], step=step, status=status, **facts)


async def subscribe(bench, site: Simulator, **more):  # noqa: F811
    wanted = site.subscriber(bench.name, filter={"agencies": (bench.agency,)}, backfill="log", **more)
    await subscribers.add(bench.settings, wanted.model_dump(exclude={"created_at"}), Actor("test"))
    return bench.settings.model_copy(update={"delivery": LIMITS})


async def killed_again_and_again(bench, settings, kills: int, arrived, due: int) -> list[int]:  # noqa: F811
    """Kills while between a part and all of what is due has arrived; returns what had arrived at each kill."""
    caught = []
    role = RoleProcess(f"deliver:{bench.name}", settings)
    try:
        for number in range(kills):
            goal = due * (number + 1) // (kills + 1)
            await until(lambda: arrived() >= goal, f"kill {number}", 90)  # noqa: B023
            assert await asyncio.to_thread(role.kill) == -9
            caught.append(arrived())
            role = RoleProcess(f"deliver:{bench.name}", settings)
        await until(lambda: arrived() >= due, "all has arrived", 120)
        await until(lambda: _settled(bench, due), "all is receipted", 60)
        await asyncio.to_thread(role.ready)
        assert await asyncio.to_thread(role.terminate) == 0, role.tail()
    finally:
        if role.process.poll() is None:
            role.kill()
    return caught


async def _settled(bench, due) -> bool:  # noqa: F811
    found = await bench.receipts("DELIVERED")
    return len({event_id for r in found for event_id in r["event_ids"]}) == due


async def test_event_log_portal_gets_every_event_in_order(bench, tmp_path):  # noqa: F811
    dossiers, due = 200, 200 * len(PATH)  # so many that a kill meets some on any machine
    with simulator("webhook", tmp_path) as site:
        site.admin("faults", {"rate": 0.05, "seed": 3, "hang_s": 1, "retry_after_s": 1})
        settings = await subscribe(bench, site)
        await events(bench, dossiers)
        caught = await killed_again_and_again(
            bench, settings, 3, lambda: site.rows("SELECT count(*) FROM events")[0][0], due
        )
        rows = site.rows("SELECT key, hub_seq, altered FROM events ORDER BY arrival")
    assert all(0 < arrived < due for arrived in caught), "each kill caught work in flight"
    order = defaultdict(list)
    for key, seq, altered in rows:
        order[key].append(seq)
        assert altered == 0
    assert order == {bench.code(n): list(range(1, len(PATH) + 1)) for n in range(dossiers)}
    assert await bench.dead_letters() == []
    assert await bench.parked() == {}


async def test_state_portal_never_goes_back_and_has_every_line(bench, tmp_path):  # noqa: F811
    dossiers, due = 800, 800 * len(PATH)  # folded, they go fast: so many that a kill meets some
    with simulator("national-portal", tmp_path) as site:
        site.admin("faults", {"rate": 0.05, "seed": 5, "hang_s": 1, "retry_after_s": 1})
        settings = await subscribe(bench, site)
        await events(bench, dossiers)
        lines = "SELECT count(*) FROM (SELECT DISTINCT ma_ho_so, thoi_diem_xu_ly, trang_thai FROM progress_lines)"
        caught = await killed_again_and_again(bench, settings, 3, lambda: site.rows(lines)[0][0], due)
        history = site.rows("SELECT ma_ho_so, body FROM dossier_history ORDER BY id")
        at_last = dict(site.rows("SELECT ma_ho_so, body FROM dossiers"))
    assert all(0 < arrived < due for arrived in caught), "each kill caught work in flight"
    versions = defaultdict(list)
    for code, body in history:
        versions[code].append(int(json.loads(body)["TrichYeuHoSo"].removeprefix("Bước ")))
    assert set(versions) == {bench.code(n) for n in range(dossiers)}
    for code, seen in versions.items():
        assert seen == sorted(seen), f"the state of {code} went back"
        assert json.loads(at_last[code])["TrichYeuHoSo"] == "Bước 6"
    assert await bench.dead_letters() == []
    assert await bench.parked() == {}


async def test_parked_work_outlives_the_process(bench, tmp_path):  # noqa: F811
    with simulator("webhook", tmp_path) as site:
        settings = await subscribe(bench, site)
        settings = settings.model_copy(update={"delivery": LIMITS.model_copy(update={"retry_cap_s": 60})})
        site.admin("faults", {"force": ["http_429"] * 5, "retry_after_s": 8})
        await events(bench, 5, last=2)
        role = RoleProcess(f"deliver:{bench.name}", settings)
        try:
            await until(lambda: _parked(bench), "parked", 60)
            assert await asyncio.to_thread(role.kill) == -9
            before = len(site.rows("SELECT 1 FROM events"))
            role = RoleProcess(f"deliver:{bench.name}", settings)
            await until(lambda: len(site.rows("SELECT 1 FROM events")) == 10, "all", 60)
            await asyncio.to_thread(role.ready)
            assert await asyncio.to_thread(role.terminate) == 0, role.tail()
        finally:
            if role.process.poll() is None:
                role.kill()
        rows = site.rows("SELECT key, hub_seq FROM events ORDER BY arrival")
    assert before < 10
    for number in range(5):
        assert [seq for key, seq in rows if key == bench.code(number)] == [1, 2]


async def _parked(bench) -> bool:  # noqa: F811
    return bool(await bench.parked())


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_portal_that_is_silent_for_long(bench, tmp_path):  # noqa: F811
    """Down for a while: few attempts, no dead letter, and all is there soon after it is back."""
    with simulator("webhook", tmp_path) as site:
        settings = await subscribe(bench, site)
        site.admin("down?mode=http_503")
        await events(bench, 30, last=2)
        role = RoleProcess(f"deliver:{bench.name}", settings)
        try:
            await asyncio.to_thread(role.ready)
            await asyncio.sleep(20)
            site.admin("up")
            await until(lambda: len(site.rows("SELECT 1 FROM events")) == 60, "all", 60)
            assert await asyncio.to_thread(role.terminate) == 0, role.tail()
        finally:
            if role.process.poll() is None:
                role.kill()
    assert await bench.dead_letters() == []


async def test_sigterm_in_the_middle_of_hanging_calls(bench, tmp_path):  # noqa: F811
    """Ends with 0 and in time; the next process sends again what hung and nothing else, each dossier in order."""
    with simulator("webhook", tmp_path) as site:
        settings = await subscribe(bench, site, settings={"timeout_s": 60})
        limits = LIMITS.model_copy(update={"drain_s": 1, "request_timeout_s": 60})
        settings = settings.model_copy(update={"delivery": limits})
        site.admin("faults", {"force": ["hang"] * 4, "hang_s": 60})
        await events(bench, 12, last=2)
        role = RoleProcess(f"deliver:{bench.name}", settings)

        def arrived() -> int:
            return len(site.rows("SELECT 1 FROM events"))

        def hanging() -> int:
            found = re.search(r"^hub_delivery_calls_in_flight{.*} (\d+)", role.get("/metrics")[1], re.MULTILINE)
            return int(found[1]) if found else 0

        try:
            await until(lambda: hanging() and arrived() + 2 * hanging() == 24, "all but what hangs", 60)
            hung, there = hanging(), arrived()
            await until(lambda: _settled(bench, there), "receipted")
            calls, began = site.admin("faults")["calls"], time.monotonic()
            assert await asyncio.to_thread(role.terminate) == 0, role.tail()
            assert time.monotonic() - began < 30
            assert len(await bench.parked()) == hung
            site.admin("faults", {"force": []})
            role = RoleProcess(f"deliver:{bench.name}", settings)
            await until(lambda: arrived() == 24, "all", 60)
            await until(lambda: _settled(bench, 24), "receipted")
            again = site.admin("faults")["calls"] - calls
            await asyncio.to_thread(role.ready)
            assert await asyncio.to_thread(role.terminate) == 0, role.tail()
        finally:
            if role.process.poll() is None:
                role.kill()
        rows = site.rows("SELECT key, hub_seq FROM events ORDER BY arrival")
    for number in range(12):
        assert [seq for key, seq in rows if key == bench.code(number)] == [1, 2]
    assert again <= 2 * hung + 3, "only what hung, what waited behind it, and probes"
    assert await bench.parked() == {}
