"""`hub run` and `hub up` as real processes: signals, exit codes, reasons, and nothing left behind."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from hub.machine import ports

pytestmark = pytest.mark.e2e

HUB = [sys.executable, "-m", "hub"]


def environment(folder: Path, **settings: str) -> dict[str, str]:
    own = {"HUB_DATA_DIR": str(folder), "HUB_OBSERVE__PORT_BASE": "0", "HUB_EMBEDDED__HEAP_MB": "256"}
    return {k: v for k, v in os.environ.items() if not k.startswith("HUB_")} | own | settings


def wait_for(condition, seconds: float = 60.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def ready(folder: Path) -> bool:
    """Does the role `broker` itself say that it is ready?"""
    with contextlib.suppress(OSError, ValueError, httpx.HTTPError):
        observe = json.loads((folder / "run" / "broker.json").read_text())["observe"]
        return httpx.get(f"{observe}/ready", trust_env=False).status_code == 200
    return False


def gone(pid: int) -> bool:
    """No such process, or a zombie that waits for a parent in this container."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_role_that_is_asked_to_stop_ends_with_0(tmp_path, number):
    port = ports.free_port()
    env = environment(tmp_path, HUB_EMBEDDED__PORT=str(port))
    with subprocess.Popen([*HUB, "run", "broker"], env=env, stderr=subprocess.PIPE, text=True) as role:
        try:
            wait_for(lambda: ports.answers_api_versions(port))
            assert (tmp_path / "run" / "broker.json").exists()
            role.send_signal(number)
            _out, err = role.communicate(timeout=60)
        finally:
            role.kill()
    assert role.returncode == 0, err
    assert "broker stopped" in err
    assert not (tmp_path / "run" / "broker.json").exists()


def test_what_a_person_must_mend_ends_with_3_and_the_reason_is_noted(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        env = environment(tmp_path, HUB_EMBEDDED__PORT=str(other.getsockname()[1]))
        done = subprocess.run([*HUB, "run", "broker"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "cannot be had (Address already in use)" in done.stderr
    assert "Traceback" not in done.stderr
    noted = json.loads((tmp_path / "run" / "broker.exit").read_text())
    assert noted["code"] == 3
    assert "Address already in use" in noted["reason"]


def test_a_role_whose_broker_died_ends_with_1(tmp_path):
    port = ports.free_port()
    env = environment(tmp_path, HUB_EMBEDDED__PORT=str(port))
    with subprocess.Popen([*HUB, "run", "broker"], env=env, stderr=subprocess.DEVNULL) as role:
        try:
            wait_for(lambda: ready(tmp_path), 60)
            children = Path(f"/proc/{role.pid}/task/{role.pid}/children").read_text().split()
            for jvm in children:
                os.kill(int(jvm), signal.SIGKILL)
            assert role.wait(60) == 1
        finally:
            role.kill()
    noted = json.loads((tmp_path / "run" / "broker.exit").read_text())
    assert "the embedded broker was killed by signal 9" in noted["reason"]


SUPERVISE = """
import asyncio, sys
from pathlib import Path
from hub.config import Settings
from hub.supervisor.supervisor import Supervisor
from tests.support.miniature_hub import Hub
hub = Hub(Path(sys.argv[1]))
hub.quiet.put()
asyncio.run(hub.supervisor.run(hub.stop))
"""


def test_children_die_with_a_killed_supervisor(tmp_path):
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", SUPERVISE, tmp_path], cwd=root, env=environment(tmp_path)) as parent:
        try:

            def all_ready():
                path = tmp_path / "var" / "run" / "status.json"
                roles = json.loads(path.read_text())["roles"] if path.exists() else []
                return roles if len(roles) == 9 and all(r["state"] == "ready" for r in roles) else None

            pids = [r["pid"] for r in wait_for(all_ready)]
        finally:
            parent.kill()
    assert all(pids)
    wait_for(lambda: all(gone(pid) for pid in pids))


def test_a_second_hub_up_on_the_same_folder_is_refused(tmp_path):
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "supervisor.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([*HUB, "up"], env=environment(tmp_path), capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert f"another `hub up` runs on {tmp_path}" in done.stderr


def test_status_without_a_hub_says_so_and_fails(tmp_path):
    env = environment(tmp_path)
    done = subprocess.run([*HUB, "status"], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, f"no hub runs on {tmp_path}\n")


def test_status_names_each_role_that_is_missing_and_fails(tmp_path):
    port = ports.free_port()
    env = environment(tmp_path, HUB_EMBEDDED__PORT=str(port))
    with subprocess.Popen([*HUB, "run", "broker"], env=env, stderr=subprocess.DEVNULL) as role:
        try:
            wait_for(lambda: ports.answers_api_versions(port))

            def told(*more):
                words = [*HUB, "status", "--json", *more]
                done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
                return done.returncode, json.loads(done.stdout)

            here = wait_for(lambda: (found := told("--here"))[0] == 0 and found[1])
            code, whole = told()
        finally:
            role.terminate()
            role.wait(60)
    assert [(r["role"], r["ready"], r["pid"]) for r in here["roles"]] == [("broker", True, role.pid)]
    assert code == 1
    planned = ["registry", "core", "reconcile", "projector", "console", "gateway", "intake", "source:filedrop"]
    missing = [r["role"] for r in whole["roles"] if r["state"] == "missing"]
    assert missing == planned
    unknown, *rest = whole["waits_for"]
    assert "the subscribers, which cannot be read: topic hub.control is missing" in unknown
    assert rest == [f"{name} does not run" for name in planned]
