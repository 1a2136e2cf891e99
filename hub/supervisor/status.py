"""What the supervisor tells others: `run/status.json`, replaced whole at each change, and the role metrics."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from hub.config import Settings
from hub.observe import metrics
from hub.supervisor.role_process import Child, State
from hub.untyped import JsonObject

STATES_UP = (State.STARTING, State.READY)


def path(settings: Settings) -> Path:
    return settings.run_dir / "status.json"


def write(settings: Settings, children: Iterable[Child], failure: str = "") -> None:
    """Write the file and set the metrics. `failure`: why the whole hub stops, empty while it runs.

    Shape: {"pid", "updated_at" (Unix time), "failure", "addresses": {"kafka", "registry", "gateway", "console"},
    "roles": [{"role", "state", "vital", "pid", "starts", "reason"}]}.
    """
    roles = []
    for child in children:
        metrics.ROLE_UP.labels(child.name).set(child.state in STATES_UP)
        metrics.ROLE_GIVEN_UP.labels(child.name).set(child.state is State.GIVEN_UP)
        roles.append(
            {
                "role": child.name,
                "state": str(child.state),
                "vital": child.vital,
                "pid": child.pid,
                "starts": child.starts,
                "reason": child.reason,
            }
        )
    whole = {
        "pid": os.getpid(),
        "updated_at": round(time.time(), 3),
        "failure": failure,
        "addresses": _addresses(settings),
        "roles": roles,
    }
    target = path(settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".tmp")
    beside.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    beside.replace(target)


def _addresses(settings: Settings) -> dict[str, str]:
    return {
        "kafka": settings.bootstrap,
        "registry": settings.registry_url,
        "gateway": f"{settings.doors.scheme}://{settings.gateway.host}:{settings.gateway.port}",
        "console": f"{settings.doors.scheme}://{settings.console.host}:{settings.console.port}",
    }


def read(settings: Settings) -> JsonObject | None:
    """What the last supervisor wrote; None if there was none. `alive` tells whether its process still runs."""
    try:
        whole: JsonObject = json.loads(path(settings).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return whole | {"alive": is_running(whole["pid"])}


def is_running(pid: int) -> bool:
    """Is there a process of this id (that we may signal or not)?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
