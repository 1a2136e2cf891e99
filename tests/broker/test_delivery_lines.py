"""Progress lines of a state portal: what was answered before a later call failed is not sent again, whoever goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json

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

LINES = 6
BEFORE = ("none", "none", "none")
"""Calls of a first delivery before its lines: login, look-up, dossier. The probe may be one more: then the second
of the three calls with lines fails, and not the third."""
RESTS = ([3, 4, 5, 6], [5, 6])
FACTS = {"procedure_code": "1.004194", "procedure_name": "Cấp giấy phép", "agency_name": "UBND TP Phan Thiết"}


async def events(bench) -> None:  # noqa: F811
    for seq in range(1, LINES + 1):
        step, status = PATH[seq - 1]
        await bench.events((0, seq), step=step, status=status, **FACTS, abstract=f"Bước {seq}")


async def subscribe(bench, site: Simulator) -> None:  # noqa: F811
    settings = {"lines_per_call": 2, "timeout_s": 30}
    wanted = site.subscriber(bench.name, filter={"agencies": (bench.agency,)}, backfill="log", settings=settings)
    await subscribers.add(bench.settings, wanted.model_dump(exclude={"created_at"}), Actor("test"))


def role_of(bench) -> RoleProcess:  # noqa: F811
    limits = DeliverySettings(workers=1, retry_base_s=0.1, retry_cap_s=60, request_timeout_s=30, drain_s=1)
    return RoleProcess(f"deliver:{bench.name}", bench.settings.model_copy(update={"delivery": limits}))


def lines(site: Simulator) -> list[str]:
    """The moments of the lines, in the order in which the portal got them."""
    return [row[0] for row in site.rows("SELECT thoi_diem_xu_ly FROM progress_lines ORDER BY id")]


async def parked_seqs(bench) -> list[int]:  # noqa: F811
    values = (await bench.parked()).values()
    return [pointer["hub_seq"] for value in values for pointer in json.loads(value)["pointers"]]


@contextlib.asynccontextmanager
async def ended(role: RoleProcess):
    try:
        yield role
    finally:
        if role.process.poll() is None:
            await asyncio.to_thread(role.kill)


async def test_the_retry_goes_on_behind_the_answered_lines(bench, tmp_path) -> None:  # noqa: F811
    """And the receipts say the same as the portal: some at once, the others after the retry."""
    with simulator("national-portal", tmp_path) as site:
        site.admin("faults", {"force": [*BEFORE, "none", "none", "http_500"]})
        await subscribe(bench, site)
        await events(bench)
        async with ended(role_of(bench)) as role:
            await until(lambda: bench.receipted(0), "some are receipted", 60)
            await until(lambda: _receipted(bench), "all is receipted", 60)
            assert await asyncio.to_thread(role.terminate) == 0, role.tail()
        told = lines(site)
    assert len(told) == len(set(told)) == LINES
    assert told == sorted(told)
    (failed,) = await bench.receipts("RETRY_SCHEDULED")
    rest = failed["hub_seqs"]
    assert rest in RESTS
    assert failed["error_kind"] == "http_5xx"
    found = [(r["hub_seqs"], r["attempt"]) for r in await bench.receipts("DELIVERED")]
    assert found == [(list(range(1, rest[0])), 1), (rest, 2)]


async def test_after_kill_9_too(bench, tmp_path) -> None:  # noqa: F811
    """The role is killed while the rest waits for its retry, which its parking record names."""
    with simulator("national-portal", tmp_path) as site:
        site.admin("faults", {"force": [*BEFORE, "none", "none", "http_429"], "retry_after_s": 5})
        await subscribe(bench, site)
        await events(bench)
        async with ended(role_of(bench)) as role:
            await until(lambda: parked_seqs(bench), "the rest is parked", 60)
            assert await parked_seqs(bench) in RESTS
            assert await asyncio.to_thread(role.kill) == -9
        async with ended(role_of(bench)) as role:
            await until(lambda: _receipted(bench), "all is receipted", 60)
            assert await asyncio.to_thread(role.terminate) == 0, role.tail()
        told = lines(site)
    assert len(told) == len(set(told)) == LINES
    assert told == sorted(told)


async def test_after_a_stop_in_the_middle_of_a_call_too(bench, tmp_path) -> None:  # noqa: F811
    """SIGTERM while the third call hangs: it is cut off, and what is parked is what it held."""
    with simulator("national-portal", tmp_path) as site:
        site.admin("faults", {"force": [*BEFORE, "none", "none", "hang"], "hang_s": 60})
        await subscribe(bench, site)
        await events(bench)
        async with ended(role_of(bench)) as role:
            await until(lambda: site.admin("faults")["counts"].get("hang"), "it hangs", 60)
            assert await asyncio.to_thread(role.terminate) == 0, role.tail()
        assert await parked_seqs(bench) in RESTS
        async with ended(role_of(bench)) as role:
            await until(lambda: _receipted(bench), "all is receipted", 60)
            assert await asyncio.to_thread(role.terminate) == 0, role.tail()
        told = lines(site)
    assert len(told) == len(set(told)) == LINES


async def _receipted(bench) -> bool:  # noqa: F811
    return await bench.receipted(0) == [1, 2, 3, 4, 5, 6]
