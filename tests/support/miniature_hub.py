"""Runs a supervisor over roles in miniature, which are real processes."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from hub.config import Settings
from hub.control.records import Subscriber
from hub.supervisor import status
from hub.supervisor.liveness import Patience
from hub.supervisor.restarts import Policy
from hub.supervisor.supervisor import Supervisor

FAKE = Path(__file__).with_name("fake_role.py")
QUICK = Policy(first_s=0.01, cap_s=0.05, steady_s=60.0, lives=3)
PATIENCE = Patience(every_s=0.1, answer_s=1.0, silent=4, stuck=8)


class Quiet:
    """Stands in for the cluster; `put` changes the subscribers."""

    def __init__(self, folder: Path) -> None:
        self._journal = folder / "journal"
        self._queue: asyncio.Queue[dict[str, Subscriber]] = asyncio.Queue()

    def put(self, *subscribers: Subscriber) -> None:
        self._queue.put_nowait({s.name: s for s in subscribers})

    def _note(self, line: str) -> None:
        with self._journal.open("a") as journal:
            journal.write(line + "\n")

    async def topics(self) -> None:
        self._note("topics - -")

    async def schemas(self) -> None:
        self._note("schemas - -")

    def sources(self) -> list[str]:
        return ["filedrop"]

    async def subscribers(self, stop):
        while True:
            yield await self._queue.get()


class Hub:
    """A supervisor of miniature roles, with what its tests ask about."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder / "var", embedded={"port": 0}, delivery={"drain_s": 1})
        self.quiet = Quiet(folder)
        self.stop = asyncio.Event()
        self.supervisor = Supervisor(self.settings, self.quiet, self._command, QUICK, PATIENCE)

    def _command(self, role: str) -> list[str]:
        return [sys.executable, "-S", str(FAKE), str(self.folder), str(self.settings.run_dir), role]

    def mode(self, role: str, mode: str) -> None:
        (self.folder / f"{role}.mode").write_text(mode)

    def journal(self, step: str) -> list[str]:
        lines = [line.split() for line in (self.folder / "journal").read_text().splitlines()]
        return [role for what, role, _pid in lines if what == step]

    def roles(self) -> list[dict[str, Any]]:
        told = status.read(self.settings)
        return told["roles"] if told else []

    def role(self, name: str) -> Any:
        """What the supervisor says of it; None before it says anything."""
        return next((r for r in self.roles() if r["role"] == name), None)

    async def until(self, condition, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain; roles: {status.read(self.settings)}"
            await asyncio.sleep(0.02)

    async def up(self) -> None:
        await self.until(lambda: (r := self.role("source:filedrop")) is not None and r["state"] == "ready")
