"""The supervisor's own logic on real processes that are roles in miniature: order, restarts, giving up, stopping."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from hub.control.records import Subscriber
from hub.errors import StartError
from hub.supervisor import status
from hub.supervisor import supervisor as supervisor_module
from hub.supervisor.supervisor import Supervisor
from tests.support.miniature_hub import PATIENCE, QUICK, Hub

pytestmark = pytest.mark.e2e

NATIONAL = Subscriber(name="national", kind="national-portal")


@contextlib.asynccontextmanager
async def running(folder: Path):
    hub = Hub(folder)
    task = asyncio.create_task(hub.supervisor.run(hub.stop))
    try:
        yield hub, task
    finally:
        hub.stop.set()
        with contextlib.suppress(StartError):
            await asyncio.wait_for(task, 60)


async def test_starts_in_order_and_stops_in_reverse(tmp_path):
    async with running(tmp_path) as (hub, task):
        hub.quiet.put(NATIONAL)
        await hub.up()
        await hub.until(lambda: (r := hub.role("deliver:national")) is not None and r["state"] == "ready")
        hub.stop.set()
        await asyncio.wait_for(task, 60)
    steps = [line.split()[:2] for line in (tmp_path / "journal").read_text().splitlines()]
    at = {tuple(step): place for place, step in enumerate(steps)}
    workers = ["core", "reconcile", "projector", "console"]
    doors = ["gateway", "intake", "source:filedrop"]
    assert at["start", "broker"] < at["topics", "-"] < at["start", "registry"] < at["schemas", "-"]
    assert at["schemas", "-"] < min(at["start", w] for w in workers)
    assert max(at["start", w] for w in workers) < min(at["start", d] for d in doors)
    ends = [[at["stop", name] for name in tier] for tier in (
        doors, ["core"], ["reconcile", "projector", "console", "deliver:national"], ["registry"], ["broker"],
    )]  # fmt: skip
    assert all(max(a) < min(b) for a, b in itertools.pairwise(ends))
    assert {r["state"] for r in hub.roles()} == {"stopped"}


async def test_it_is_ready_when_every_role_of_the_plan_is_and_says_what_it_waits_for(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    async with running(tmp_path) as (hub, _task):
        hub.mode("core", "reading")
        await hub.until(lambda: (r := hub.role("broker")) is not None and r["state"] == "ready")
        ok, said = hub.supervisor.health()
        assert not ok, "the broker alone is no hub"
        assert "gateway does not run" in said
        await hub.until(lambda: "core: reads its state" in hub.supervisor.health()[1])
        await hub.until(lambda: "waits for core: reads its state; " in caplog.text)
        hub.mode("core", "ok")
        await hub.until(lambda: "source:filedrop does not run" not in hub.supervisor.health()[1])
        await hub.until(lambda: "the subscribers, which are not read yet" in hub.supervisor.health()[1])
        hub.mode("deliver:national", "reading")
        hub.quiet.put(NATIONAL)
        await hub.until(lambda: "deliver:national: reads its state" in hub.supervisor.health()[1])
        assert not hub.supervisor.health()[0]
        hub.mode("deliver:national", "ok")
        await hub.until(lambda: hub.supervisor.health() == (True, "10 roles ready"))
        await hub.until(lambda: "the hub is up: all 10 roles are ready" in caplog.text)


async def test_a_vital_role_that_reads_its_state_for_long_is_waited_for(tmp_path, monkeypatch):
    async with running(tmp_path) as (hub, task):
        hub.mode("core", "reading")
        await hub.until(lambda: "core: reads its state" in hub.supervisor.health()[1])
        monkeypatch.setattr(supervisor_module, "READY_S", 3.0)
        await asyncio.sleep(6.5)  # more than twice the time without an answer after which it would be given up
        assert not task.done()
        monkeypatch.undo()
        hub.mode("core", "ok")
        await hub.up()


async def test_a_killed_role_is_started_again_and_said_so(tmp_path, caplog):
    async with running(tmp_path) as (hub, _task):
        await hub.up()
        first = hub.role("core")["pid"]
        os.kill(first, signal.SIGKILL)
        await hub.until(lambda: hub.role("core")["starts"] == 2 and hub.role("core")["state"] == "ready")
        assert hub.role("core")["pid"] != first
        assert hub.role("core")["reason"] == "killed by SIGKILL"
        assert "core died" in caplog.text
        assert "killed by SIGKILL" in caplog.text


async def test_a_frozen_role_is_killed_started_again_and_said_so(tmp_path, caplog):
    async with running(tmp_path) as (hub, _task):
        await hub.up()
        frozen = hub.role("core")["pid"]
        os.kill(frozen, signal.SIGSTOP)
        await hub.until(lambda: hub.role("core")["starts"] == 2 and hub.role("core")["state"] == "ready")
        assert not status.is_running(frozen)
        assert hub.role("core")["reason"].startswith("hangs: no answer to 4 asks of /live")
        assert f"core (pid {frozen}) hangs" in caplog.text
        assert {r["starts"] for r in hub.roles() if r["role"] != "core"} == {1}


async def test_a_role_that_says_it_is_stuck_is_started_again(tmp_path):
    async with running(tmp_path) as (hub, _task):
        await hub.up()
        hub.mode("projector", "stuck")
        await hub.until(lambda: hub.supervisor.children["projector"].misses >= PATIENCE.silent)
        assert hub.role("projector")["starts"] == 1, "it answers, so it gets more time than a silent one"
        await hub.until(lambda: hub.role("projector")["starts"] >= 2)
        hub.mode("projector", "ok")
        assert hub.role("projector")["reason"] == (
            "hangs: 8 times in a row it was not live; last: NOT ok: it stands; killed"
        )


async def test_a_busy_role_is_left_alone(tmp_path):
    """Late answers, and a pause shorter than patience has it."""
    async with running(tmp_path) as (hub, _task):
        await hub.up()
        hub.mode("gateway", "slow")
        core = hub.supervisor.children["core"]
        os.kill(core.pid, signal.SIGSTOP)
        try:
            await hub.until(lambda: core.misses >= 1)
        finally:
            os.kill(core.pid, signal.SIGCONT)
        await hub.until(lambda: core.misses == 0)
        await asyncio.sleep(2.0)  # ten late answers of the gateway: more than patience has for silence
        assert {r["starts"] for r in hub.roles()} == {1}


async def test_a_delivery_that_keeps_dying_is_left_down_and_the_rest_goes_on(tmp_path, caplog):
    async with running(tmp_path) as (hub, task):
        hub.mode("deliver:national", "die")
        hub.quiet.put(NATIONAL)
        await hub.up()
        await hub.until(lambda: (r := hub.role("deliver:national")) is not None and r["state"] == "given up")
        assert hub.role("deliver:national")["reason"] == "code 1: boom, said the role"
        assert hub.role("deliver:national")["starts"] == QUICK.lives
        assert REGISTRY.get_sample_value("hub_role_given_up", {"role": "deliver:national"}) == 1
        assert REGISTRY.get_sample_value("hub_role_up", {"role": "core"}) == 1
        assert "deliver:national keeps dying and is left down" in caplog.text
        assert not task.done()
        # A changed subscriber gets another try; a removed one is stopped and forgotten.
        hub.mode("deliver:national", "ok")
        hub.quiet.put(NATIONAL.model_copy(update={"title": "mended"}))
        await hub.until(lambda: hub.role("deliver:national")["state"] == "ready")
        hub.quiet.put()
        await hub.until(lambda: hub.role("deliver:national") is None)
        assert not list(hub.settings.run_dir.glob("deliver_national*"))
        assert hub.journal("stop") == ["deliver:national"]
        assert REGISTRY.get_sample_value("hub_role_given_up", {"role": "deliver:national"}) is None


@pytest.mark.parametrize("role", ["broker", "registry", "core"])
async def test_a_vital_role_that_keeps_dying_stops_the_whole_with_the_reason(tmp_path, role):
    async with running(tmp_path) as (hub, task):
        hub.mode(role, "die")
        with pytest.raises(StartError, match=f"{role} cannot run: code 1: boom, said the role"):
            await asyncio.wait_for(task, 60)
        assert hub.journal("start").count(role) == QUICK.lives
        told = status.read(hub.settings)
        assert told is not None
        assert "boom" in told["failure"]
        assert all(r["pid"] == 0 for r in told["roles"])


async def test_what_a_person_must_mend_is_not_tried_again_at_the_first_start(tmp_path):
    async with running(tmp_path) as (hub, task):
        hub.mode("broker", "cannot-start")
        with pytest.raises(StartError, match="broker cannot run: the disk is full"):
            await asyncio.wait_for(task, 60)
        assert hub.journal("start") == ["broker"]


async def test_deaths_while_the_broker_is_away_do_not_count(tmp_path):
    async with running(tmp_path) as (hub, _task):
        await hub.up()
        for life in range(2, QUICK.lives + 3):  # more deaths than a role has lives
            os.kill(hub.role("broker")["pid"], signal.SIGKILL)
            os.kill(hub.role("core")["pid"], signal.SIGKILL)
            await hub.until(
                lambda life=life: all(
                    hub.role(name)["starts"] == life and hub.role(name)["state"] == "ready"
                    for name in ("core", "broker")
                )
            )
            hub.supervisor.children["broker"].restarts.forgive()  # the broker itself may not run out of lives here


async def test_a_role_that_ignores_sigterm_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(Supervisor, "_limit", 0.5)
    async with running(tmp_path) as (hub, task):
        hub.mode("gateway", "stubborn")
        await hub.up()
        pid = hub.role("gateway")["pid"]
        hub.stop.set()
        await asyncio.wait_for(task, 60)
    assert not status.is_running(pid)
