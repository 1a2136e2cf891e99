"""The simulators as processes: quick start, clean stop, nothing forgotten; and their steering."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hub.connect.portal import make_portal
from hub.control.records import Subscriber
from hub.untyped import SettingsTable
from hub_connectors.simulation.faults import FAULTS, FaultOrder, FaultPlan
from tests.contract.portal_suite import deliver_at_last
from tests.support.contract_events import dossier_items

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
START = """
import sys
from importlib.metadata import entry_points
[simulator] = entry_points(group="hub.simulators", name=sys.argv[1])
simulator.load()(sys.argv[2:])
"""


@contextmanager
def process(
    name: str, folder: Path, *args: str, end: int = signal.SIGTERM
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running simulator and its address; ended by that signal, of which SIGTERM must give exit 0."""
    command = [sys.executable, "-c", START, name, "--port", "0", "--database", str(folder / f"{name}.sqlite"), *args]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert running.stdout
    try:
        line = running.stdout.readline()
        assert line.startswith(f"{name} simulator: http://127.0.0.1:"), line
        yield running, line.split()[-1]
        running.send_signal(end)
        assert running.wait(60) == (0 if end == signal.SIGTERM else -end)
    finally:
        if running.poll() is None:
            running.kill()
            running.wait(60)
        running.stdout.close()


def subscriber(name: str, url: str) -> Subscriber:
    if name == "national-portal":
        settings: SettingsTable = {
            "adapter_url": f"{url}/XrdAdapter/RestService/forward/",
            "madonvi": "H11",
            "username": "u",
            "allow_loopback": True,
        }
        return Subscriber(name="n", kind=name, settings={**settings, "timeout_s": 30}, secrets={"password": "p"})
    settings = {"url": f"{url}/webhooks/hub", "allow_loopback": True, "timeout_s": 30}
    return Subscriber(name="p", kind=name, settings=settings, secrets={"signing": SECRET})


def options(name: str) -> list[str]:
    return ["--secret", SECRET] if name == "webhook" else []


async def deliver(name: str, url: str, code: str) -> None:
    portal = make_portal(subscriber(name, url))
    await portal.open()
    for item in dossier_items(code, 3):
        await deliver_at_last(portal, [item])
    await portal.close()


@pytest.mark.parametrize("name", ["national-portal", "webhook"])
async def test_keeps_what_it_got_over_a_stop_and_a_kill(name: str, tmp_path: Path) -> None:
    for number, end in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGTERM), 1):
        with process(name, tmp_path, *options(name), end=end) as (_, url):
            await deliver(name, url, f"H11.12-260302-{number:04}")
            await deliver(name, url, "H11.12-260302-0001")
    table = "dossiers" if name == "national-portal" else "(SELECT DISTINCT key FROM events)"
    db = sqlite3.connect(tmp_path / f"{name}.sqlite")
    assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (3,)
    db.close()


@pytest.mark.parametrize("name", ["national-portal", "webhook"])
async def test_faults_by_rate_are_counted_and_switched_at_run_time(name: str, tmp_path: Path) -> None:
    kinds = "http_500,reset,dropped_reply"
    with process(name, tmp_path, *options(name), "--faults", kinds, "--fault-rate", "0.3", "--seed", "7") as (_, url):
        await deliver(name, url, "H11.12-260302-0001")
        async with httpx.AsyncClient(base_url=url, trust_env=False) as admin:
            report = (await admin.get("/_admin/faults")).json()
            assert report["rate"] == 0.3
            assert 0 < sum(report["counts"].values()) < report["calls"]
            assert set(report["counts"]) <= set(kinds.split(","))
            assert (await admin.post("/_admin/faults", json={"rate": 0})).json()["rate"] == 0
            assert (await admin.post("/_admin/faults", json={"kinds": ["nonsense"]})).status_code == 422
            assert (await admin.post("/_admin/down", params={"mode": "silent"})).json()["down"] == "silent"
            assert (await admin.post("/_admin/down", params={"mode": "x"})).status_code == 422
            assert (await admin.post("/_admin/up")).json()["down"] is None
        await deliver(name, url, "H11.12-260302-0002")


def test_stops_at_once_though_a_call_hangs(tmp_path: Path) -> None:
    with process("national-portal", tmp_path, "--faults", '{"force": ["hang"]}') as (running, url):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while httpx.get(f"{url}/_admin/faults", trust_env=False).json()["calls"] == 0:
                time.sleep(0.01)
            began = time.monotonic()
            running.send_signal(signal.SIGTERM)
            assert running.wait(60) == 0
            assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("name", "args", "says"),
    [
        ("national-portal", ["--faults", "nonsense"], "no fault 'nonsense'"),
        ("national-portal", ["--faults", "{"], "is no JSON"),
        ("national-portal", ["--session-s", "x"], "--session-s"),
        ("webhook", [], "--secret"),
        ("webhook", ["--secret", "whsec_%%"], "--secret"),
    ],
)
def test_wrong_options_are_named(name: str, args: list[str], says: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, name, "--port", "0", "--database", str(tmp_path / "x.sqlite"), *args]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert says in ended.stderr


def test_the_same_seed_draws_the_same_faults() -> None:
    def draw(seed: int) -> list[str | None]:
        plan = FaultPlan(tuple(FAULTS), 0.2, seed)
        return [plan.draw() for _ in range(200)]

    assert draw(7) == draw(7) != draw(8)
    assert 20 < sum(kind is not None for kind in draw(7)) < 60


def test_forced_faults_come_first_and_pass_marks_pass() -> None:
    plan = FaultPlan()
    plan.order(FaultOrder(force=("none", "html", "none", "reset")))
    assert [plan.draw() for _ in range(5)] == [None, "html", None, "reset", None]
    assert json.loads(json.dumps(plan.report()))["counts"] == {"html": 1, "reset": 1}
