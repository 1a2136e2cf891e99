"""Roles as the real processes they are: started, awaited until ready, killed by process id."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hub.config import Settings
from hub.supervisor.environment import variables


def until(condition: Callable[[], object], within: float, what: str) -> None:
    """Polls another process's outside, where there is no event to wait for. AssertionError names what did not come."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.05)


class RoleProcess:
    """One `hub run ROLE`. `log` holds what it wrote. python: the command before `-m`."""

    def __init__(self, role: str, settings: Settings, python: Sequence[str] = (sys.executable,)) -> None:
        self.role, self.settings = role, settings
        folder = settings.data_dir / "test-logs"
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{role.replace(':', '_')}.{time.monotonic_ns()}.log"
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(
                [*python, "-m", "hub", "run", role],
                env=variables(settings),
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[2],
            )

    @property
    def note(self) -> dict[str, str]:
        """What the role wrote of itself: {role, pid, observe}; {} before it did, or if it is another process's."""
        path = self.settings.run_dir / f"{self.role.replace(':', '_')}.json"
        try:
            found: dict[str, str] = json.loads(path.read_text())
        except (OSError, ValueError):
            return {}
        return found if int(found["pid"]) == self.process.pid else {}

    def get(self, path: str) -> tuple[int, str]:
        """(status, body) of /metrics, /live or /ready; (0, "") while nothing answers."""
        if not self.note:
            return 0, ""
        try:
            with urllib.request.urlopen(self.note["observe"] + path, timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self, within: float = 90) -> RoleProcess:
        """Waits for /ready; AssertionError with the log's end when it does not come or the process ends."""

        def there() -> bool:
            assert self.process.poll() is None, f"{self.role} ended with {self.process.returncode}\n{self.tail()}"
            return self.get("/ready")[0] == 200

        try:
            until(there, within, f"{self.role} ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.get('/ready')}\n{self.tail()}") from None
        return self

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> int:
        """kill -9; the exit status."""
        self.process.kill()
        return self.process.wait(60)

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def terminate(self, within: float = 60) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(within)


@contextlib.contextmanager
def role(name: str, settings: Settings) -> Iterator[RoleProcess]:
    """A role that is ready; killed at the end if it still runs."""
    found = RoleProcess(name, settings)
    try:
        yield found.ready()
    finally:
        if found.process.poll() is None:
            found.kill()
