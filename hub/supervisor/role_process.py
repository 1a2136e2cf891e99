"""One role as a child process of the supervisor: start, await ready, notice its end, stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import httpx

from hub.config import Settings
from hub.machine.child_process import die_with_parent
from hub.supervisor import roles, run_role
from hub.supervisor.restarts import Restarts
from hub.web.own_calls import trust

log = logging.getLogger(__name__)

Command = Callable[[str], list[str]]
"""Role name -> the command that runs it."""


class State(StrEnum):
    """WAITING: for its turn or its back-off. STARTING: runs, not ready yet. GIVEN_UP: it kept dying, left down."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    STOPPED = "stopped"
    GIVEN_UP = "given up"


@dataclass
class Child:
    """A role and its present process. `starts` counts processes; `reason` says how the last one ended."""

    name: str
    settings: Settings
    command: Command
    environment: Mapping[str, str]
    restarts: Restarts = field(default_factory=Restarts)
    state: State = State.WAITING
    starts: int = 0
    started_at: float = 0.0
    code: int | None = None
    reason: str = ""
    process: asyncio.subprocess.Process | None = None
    said: str = ""
    """What its last `/ready` said that it waits for."""
    misses: int = 0
    """Asks of `/live` in a row that were not answered, or with no (liveness.py)."""
    _hung: str = ""

    @property
    def vital(self) -> bool:
        return roles.find(self.name).vital

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        return self.process.pid if self.process and self.process.returncode is None else 0

    async def start(self) -> None:
        """Start the process; its output goes to `logs/<role>.out`, its log (by --log-file) to `logs/<role>.log`."""
        self._note.unlink(missing_ok=True)
        run_role.exit_file(self.settings, self.name).unlink(missing_ok=True)
        out = self._logs / f"{self._file_name}.out"
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("wb") as file:
            self.process = await asyncio.create_subprocess_exec(
                *self.command(self.name),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=dict(self.environment),
                start_new_session=True,  # Ctrl-C reaches the supervisor only; it stops the roles in order
                preexec_fn=die_with_parent(os.getpid()),
            )
        self._hung = self.said = ""
        self.state, self.starts, self.started_at = State.STARTING, self.starts + 1, time.monotonic()

    async def wait(self) -> int:
        """Wait for the process to end; sets `code` and `reason`."""
        assert self.process is not None
        code = self.code = await self.process.wait()
        self.reason = self._hung or self._why(code)
        return code

    def kill(self, reason: str) -> None:
        """SIGKILL to a process that would not hear anything else; `wait` gives this reason."""
        self._hung = reason
        self._signal(signal.SIGKILL)

    async def wait_ready(self, timeout: float) -> bool:
        """True as soon as `/ready` answers 200; False when the process ends or time is up before. `said` tells why."""
        deadline = time.monotonic() + timeout
        async with httpx.AsyncClient(timeout=2.0, trust_env=False, verify=trust(self.settings.doors)) as client:
            while time.monotonic() < deadline and self.pid:
                if await self._asks_ready(client):
                    self.state = State.READY
                    return True
                await asyncio.sleep(0.1)
        return False

    async def _asks_ready(self, client: httpx.AsyncClient) -> bool:
        address = self.observe
        if address is None:
            return False
        try:
            answer = await client.get(f"{address}/ready")
            wrong = [text.removeprefix("NOT ok: ") for text in answer.json()["checks"].values() if text[:3] == "NOT"]
        except (httpx.HTTPError, ValueError, KeyError):
            self.said = ""
            return False
        self.said = "; ".join(wrong)
        return answer.status_code == 200

    @property
    def observe(self) -> str | None:
        """Where the present process answers; None as long as it has not said so."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            return str(note["observe"]) if note["pid"] == self.pid else None  # or left by an earlier process
        except (OSError, ValueError, KeyError):
            return None

    async def stop(self, timeout: float) -> None:
        """SIGTERM, and SIGKILL if it has not ended within `timeout` seconds."""
        if self.process is not None and self.process.returncode is None:
            self._signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(timeout):
                    await self.process.wait()
            except TimeoutError:
                log.warning("%s did not stop within %.0f s and is killed", self.name, timeout)
                self._signal(signal.SIGKILL)
                await self.process.wait()
        if self.state is not State.GIVEN_UP:
            self.state = State.STOPPED

    def forget(self) -> None:
        """Remove what its processes left in the run folder: it is not to come back."""
        target = self.settings.run_dir / "prometheus" / self._note.name
        for path in (self._note, target, run_role.exit_file(self.settings, self.name)):
            path.unlink(missing_ok=True)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.process is not None:
                self.process.send_signal(number)

    def _why(self, code: int) -> str:
        """The reason the role noted itself, else the last line it printed, else the signal."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads(run_role.exit_file(self.settings, self.name).read_text(encoding="utf-8"))["reason"])
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        with contextlib.suppress(OSError, IndexError):
            text = (self._logs / f"{self._file_name}.out").read_text(encoding="utf-8", errors="replace")
            return f"code {code}: {text.strip().splitlines()[-1]}"
        return f"code {code}"

    @property
    def _file_name(self) -> str:
        return self.name.replace(":", "_")

    @property
    def _logs(self) -> Path:
        return self.settings.data_dir / "logs"

    @property
    def _note(self) -> Path:
        return self.settings.run_dir / f"{self._file_name}.json"
