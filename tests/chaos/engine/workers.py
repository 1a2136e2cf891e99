"""Starting, killing and freezing workers (`worker.py`); each is known by its own process id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.engine.load import Load

ROOT = Path(__file__).parents[3]
# The shortest session that a broker allows by default.
QUICK = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 1000, "rebalance_timeout_ms": 20_000}


@dataclass
class Worker:
    """One replica; `start` after `kill` is the same static member in a new process."""

    load: Load
    folder: Path
    instance: str
    order: dict[str, Any] = field(default_factory=dict)
    lives: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.lives += 1
        order = {
            "bootstrap": self.load.bootstrap,
            "data_dir": str(self.folder / self.instance),
            "names": asdict(self.load.names),
            "instance": self.instance,
            "kafka": QUICK,
            **self.order,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.engine.worker", json.dumps(order)],
                cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    @property
    def log(self) -> Path:
        return self.folder / f"worker-{self.instance}-{self.lives}.log"

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def terminate(self, limit_s: float = 60) -> int:
        """SIGTERM; the exit status."""
        assert self.process
        self.process.terminate()
        return self.process.wait(limit_s)

    def freeze(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGCONT)

    def revive(self) -> None:
        """What the supervisor does: start it again if it has ended."""
        if self.process is not None and self.process.poll() is not None:
            self.start()


@contextmanager
def workers(load: Load, folder: Path, count: int = 2, **order: Any) -> Iterator[list[Worker]]:
    """So many started workers; whatever is left of them is killed at the end."""
    team = [Worker(load, folder, str(number), order) for number in range(count)]
    try:
        for worker in team:
            worker.start()
        yield team
    finally:
        for worker in team:
            if worker.process is not None and worker.process.poll() is None:
                worker.kill()


def revive_all(team: list[Worker]) -> None:
    for worker in team:
        worker.revive()


def log_of(team: list[Worker]) -> str:
    return "\n".join(f"--- {w.log.name}\n{w.log.read_text(errors='replace')[-3000:]}" for w in team)
