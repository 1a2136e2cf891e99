"""`hub demo` as a user runs it: real broker, all roles, both simulators, faults, kills, checker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.e2e

FIELDS = {
    "source_events", "accepted", "duplicates", "dead_letters", "planted_bad", "due", "delivered", "missing",
    "order_violations", "faults_injected", "retries", "redelivered", "kills", "elapsed_s", "events_per_s",
    "latency_p50_ms", "latency_p99_ms", "province",
}  # fmt: skip


def demo(folder: Path, *options: str, timeout: float) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    report = folder / "report.json"
    command = [
        sys.executable,
        "-m",
        "hub",
        "demo",
        "--report",
        str(report),
        "--data-dir",
        str(folder / "data"),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=_environment())
    return done, json.loads(report.read_text("utf-8")) if report.exists() else {}


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("HUB_") or k == "HUB_CACHE_DIR"}


SLICES = {
    "procedures": 2, "online_services": 3, "dossiers": 4, "joint_handling": 5, "deadlines": 6, "national_portal": 7,
    "figures": 8,
}  # fmt: skip


def check_province(part: dict[str, Any], events: int) -> None:
    """Every slice was shown, with something in it, and nothing was wrong."""
    assert {name: part[name]["slice"] for name in SLICES} == SLICES
    assert {name: part[name]["wrong"] for name in SLICES} == dict.fromkeys(SLICES, 0)
    assert all(part[name][word] for name in SLICES for word in ("title", "tieu_de", "shown"))
    assert 0.95 * events < part["events"] < events + 60  # the demo's own on top, those sent twice off
    assert part["procedures"]["differences"] == {
        "NOT_PUBLISHED": 2, "OTHER_FEE": 1, "OTHER_TIME_LIMIT": 1, "WITHDRAWN_STILL_OFFERED": 1,
        "WITHDRAWN_STILL_PUBLISHED": 1,
    }  # fmt: skip
    assert part["online_services"]["not_offered"] == part["online_services"]["planted"] == 6
    own = part["dossiers"]
    assert own["events"] == own["provincial_events"] > 0
    assert min(own["late"], own["sent_twice"], part["joint_handling"]["transfers"]) > 0
    assert part["deadlines"]["due_for_certain"] >= 8
    assert part["deadlines"]["told_twice"] == 0
    national = part["national_portal"]
    assert (national["filed"], national["answered"], national["sent_back"], national["files_out_of_reach"]) == (
        4,
        4,
        0,
        1,
    )
    assert national["ratings"] >= 2
    assert national["satisfaction_calls"] >= 1
    assert (national["questions"], national["questions_answered"]) == (2, 1)
    assert part["figures"]["received"] > part["figures"]["judged_by_hand"] == 8


def check(report: dict[str, Any], events: int) -> None:
    assert set(report) == FIELDS
    assert report["source_events"] == report["accepted"] == events
    assert report["due"] == report["delivered"] == {"national": events, "provincial": events}
    assert report["missing"] == {"national": 0, "provincial": 0}
    assert report["order_violations"] == 0
    assert report["dead_letters"] == report["planted_bad"] == 40
    assert report["duplicates"] > 0
    assert report["retries"] > 0
    assert {k["role"] for k in report["kills"]} == {"core", "deliver:national", "deliver:provincial"}
    assert all(k["exit_status"] == -9 and k["unfinished"] >= 1 for k in report["kills"])
    assert sum(report["faults_injected"].values()) > 0
    assert 0 < report["latency_p50_ms"] <= report["latency_p99_ms"]


@pytest.mark.timeout(400)
def test_a_short_demo(tmp_path: Path) -> None:
    done, report = demo(tmp_path, "--once", "--dossiers", "120", "--province-events", "400", timeout=380)
    assert done.returncode == 0, done.stdout + done.stderr
    check(report, 932)
    check_province(report["province"], 400)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_without_a_second_act(tmp_path: Path) -> None:
    done, report = demo(tmp_path, "--once", "--dossiers", "120", "--province-events", "0", timeout=380)
    assert done.returncode == 0, done.stdout + done.stderr
    check(report | {"province": {}}, 932)
    assert "province" not in report


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_whole_demo(tmp_path: Path) -> None:
    done, report = demo(tmp_path, "--once", timeout=1180)
    assert done.returncode == 0, done.stdout + done.stderr
    check(report, 8577)
    check_province(report["province"], 1500)


@pytest.mark.timeout(400)
def test_it_leaves_a_folder_alone_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    precious = tmp_path / "data" / "precious"
    precious.write_text("x")
    done, _ = demo(tmp_path, "--once", timeout=60)
    assert done.returncode == 2
    assert "not a demo's folder" in done.stderr
    assert precious.exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_make_run_stays_up_until_it_is_asked_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hub", "demo", "--dossiers", "120", "--report", str(tmp_path / "r.json")]
    command += ["--province-events", "400"]
    command += ["--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        pages = re.search(r"Pages: +(\S+)", "".join(said))
        assert pages is not None
        assert httpx.get(pages[1], trust_env=False).status_code == 200
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(90) == 0
