"""The whole hub under faults: kill -9 of every role, a broker that is restarted, a core that freezes, a silent portal.

What was accepted is counted in the portals' own databases. One hub for the short faults, in turn, so that each meets
what the one before it left behind.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.hub import hub_up
from tests.support.roles import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

ROLES = ("gateway", "intake", "core", "reconcile", "projector", "console", "registry", "source:filedrop",
         "deliver:national", "deliver:provincial")  # fmt: skip


async def test_kill_9_of_every_role_and_a_broker_restarted_in_the_middle(tmp_path: Path) -> None:
    with hub_up(tmp_path) as hub:
        await hub.prepare()
        for number, role in enumerate((*ROLES, "broker")):
            feeding = asyncio.create_task(hub.feed(range(number * 50 + 1, number * 50 + 51)))
            await asyncio.sleep(0.05 * number)  # each role meets another moment of the work
            killed = await asyncio.to_thread(hub.kill, role)
            await feeding

            def another(role: str = role, killed: int = killed) -> bool:
                return hub.pid(role) not in (None, killed)

            await asyncio.to_thread(until, another, 60, f"{role} started again after kill -9")
        await asyncio.to_thread(hub.settled)
        hub.check()
        await asyncio.to_thread(hub.ready, *ROLES, "broker")
    assert hub.process.returncode == 0


async def test_a_core_frozen_beyond_its_session_wakes_and_loses_nothing(tmp_path: Path) -> None:
    with hub_up(tmp_path) as hub:
        await hub.prepare()
        feeding = asyncio.create_task(hub.feed(range(1, 201)))
        await asyncio.sleep(0.3)
        hub.kill("core", signal.SIGSTOP)
        await feeding
        await asyncio.sleep(hub.settings.kafka.session_timeout_ms / 1000 + 4)
        assert hub.undelivered()["provincial"] > 0, "the core was not caught at work"
        hub.kill("core", signal.SIGCONT)
        await hub.feed(range(201, 301))
        await asyncio.to_thread(hub.settled)
        hub.check()
    assert hub.process.returncode == 0


async def test_a_portal_that_answers_nothing_for_two_minutes(tmp_path: Path) -> None:
    """The other portal is not kept waiting, memory and order hold, and afterwards everything is there."""
    with hub_up(tmp_path) as hub:
        await hub.prepare()
        hub.portals["national"].admin("down?mode=silent")
        await hub.feed(range(1, 101))
        await asyncio.to_thread(until, lambda: hub.undelivered()["provincial"] == 0, 60, "the other portal has all")
        assert hub.undelivered()["national"] == 500
        await asyncio.sleep(120)
        assert hub.is_ready("core")
        hub.portals["national"].admin("up")
        await asyncio.to_thread(hub.settled, 120)
        hub.check()
    assert hub.process.returncode == 0


async def test_a_delivery_that_keeps_dying_is_left_down_and_the_rest_goes_on(tmp_path: Path) -> None:
    with hub_up(tmp_path) as hub:
        await hub.prepare()
        async with asyncio.timeout(120):
            while "deliver:national keeps dying and is left down" not in hub.tail(2_000):
                if hub.pid("deliver:national") is not None:
                    await asyncio.to_thread(hub.kill, "deliver:national")
                await asyncio.sleep(0.3)
        await hub.feed(range(1, 21))
        await asyncio.to_thread(until, lambda: hub.undelivered()["provincial"] == 0, 60, "the other portal has all")
        assert hub.process.poll() is None
