"""`hub up` as a whole: every role real, one killed, a subscriber added and removed, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.config import Settings
from hub.control.changes import write
from hub.control.records import Subscriber
from hub.kafka.tail import opened
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import out, subscriber_topics
from hub.machine.ports import free_port
from hub.supervisor import environment
from tests.support.gateway import event, organisation, step

pytestmark = pytest.mark.e2e

PROVINCIAL = Subscriber(
    name="provincial",
    kind="webhook",
    settings={"url": "http://127.0.0.1:9/", "allow_loopback": True},  # nobody listens there
    secrets={"signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
)


@dataclass
class Up:
    settings: Settings
    process: subprocess.Popen[bytes]

    def status(self) -> dict[str, Any]:
        words = [sys.executable, "-m", "hub", "status", "--json"]
        done = subprocess.run(words, env=environment.variables(self.settings), capture_output=True, timeout=60)
        return json.loads(done.stdout) | {"code": done.returncode}

    def role(self, name: str) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            told = json.loads((self.settings.run_dir / "status.json").read_text())
            return next((role for role in told["roles"] if role["role"] == name), {})
        return {}

    def until(self, condition, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, "hub up ended"
            assert time.monotonic() < deadline, f"waited in vain: {self.status()}"
            time.sleep(0.05)

    def change(self, *records: Any) -> None:
        async def both() -> None:
            await ensure_topics(self.settings, subscriber_topics("provincial"))
            await write(self.settings, *records)

        asyncio.run(both())


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    settings = Settings(
        data_dir=tmp_path / "var",
        embedded={"port": free_port(), "heap_mb": 256},
        kafka={"partitions": 2},
        registry={"port": free_port()},
        gateway={"port": free_port()},
        console={"port": free_port()},
        observe={"port_base": 0},
    )
    with (tmp_path / "up.log").open("wb") as log:
        command = [sys.executable, "-m", "hub", "up"]
        process = subprocess.Popen(command, env=environment.variables(settings), stdout=log, stderr=log, cwd=tmp_path)
        try:
            yield Up(settings, process)
        finally:
            process.kill()  # its roles die with it
            process.wait()


def test_the_whole_hub_comes_up_heals_follows_subscribers_and_ends_with_0(up):
    up.until(lambda: up.role("gateway").get("state") == "ready" and up.role("intake").get("state") == "ready")
    up.until(lambda: up.status()["code"] == 0)
    whole = up.status()
    started = {role["role"] for role in whole["roles"]}
    assert started >= {"broker", "registry", "core", "reconcile", "projector", "console", "gateway", "intake"}

    killed = up.role("core")["pid"]
    os.kill(killed, signal.SIGKILL)
    up.until(lambda: up.role("core").get("starts") == 2 and up.role("core")["state"] == "ready")
    assert up.role("core")["reason"] == "killed by SIGKILL"

    up.change(PROVINCIAL)
    up.until(lambda: up.role("deliver:provincial").get("state") == "ready")
    up.change((Subscriber, "provincial"))
    up.until(lambda: not up.role("deliver:provincial"))

    pids = [role["pid"] for role in up.status()["roles"]]
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(60) == 0
    assert not [pid for pid in pids if pid and Path(f"/proc/{pid}").exists()]
    codes = {path.stem: json.loads(path.read_text())["code"] for path in up.settings.run_dir.glob("*.exit")}
    assert {name for name, code in codes.items() if code != 0} == set()


def test_a_subscriber_on_kafka_gets_its_events_from_the_role_s_own_user(up):
    """Its connector writes to the broker that asks for passwords; here the operator reads what the subscriber would."""
    up.until(lambda: up.role("gateway").get("state") == "ready")

    async def fed() -> str:
        await ensure_topics(up.settings, subscriber_topics("tax"))
        await write(up.settings, Subscriber(name="tax", kind="kafka-topic", backfill="log"))
        agency, key = await organisation(up.settings)
        body = json.dumps(event(agency.sources[0], step("H11.12-261124-0001")))
        headers = {"Content-Type": "application/cloudevents+json", "Authorization": f"Bearer {key}"}
        address = f"http://127.0.0.1:{up.settings.gateway.port}/v1/events"
        async with asyncio.timeout(60), httpx.AsyncClient(timeout=15, trust_env=False) as client:
            while (await client.post(address, content=body, headers=headers)).status_code == 401:
                await asyncio.sleep(0.1)  # the gateway has not read the new key yet
            async with opened(up.settings) as tail:
                await tail.from_beginning(out("tax"))
                async for _, records in tail.onwards(asyncio.Event()):
                    if records:
                        return (records[0].key or b"").decode()
        return ""

    assert asyncio.run(fed()) == "H11.12-261124-0001"
