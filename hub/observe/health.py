"""What a role says of itself: `/live` (the loop turns, nothing is stuck) and `/ready` (it can do its work)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

# (ok, sentence for a person)
Check = Callable[[], tuple[bool, str]]


@dataclass
class Health:
    """Filled by the role, read by the observe server. Checks must be quick and must not raise."""

    started: float = field(default_factory=time.time)
    live: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Check] = field(default_factory=dict)

    def report(self, which: str) -> tuple[bool, dict[str, str]]:
        """(all ok, name -> sentence). A role without ready checks is not ready yet."""
        checks = self.live if which == "live" else self.ready
        results = {name: check() for name, check in checks.items()}
        ok = all(r[0] for r in results.values()) and (which == "live" or bool(results))
        return ok, {name: ("ok: " if r[0] else "NOT ok: ") + r[1] for name, r in results.items()}

    def expect(self, *names: str) -> None:
        """These checks will come: not ready before each of them has said so. First thing in a role's `run`."""
        for name in names:
            self.set_ready(name, False, f"{name}: starting")

    def set_ready(self, name: str, ok: bool, sentence: str = "") -> None:
        """For a role that learns of its readiness by events rather than by asking."""
        self.ready[name] = lambda: (ok, sentence or ("ready" if ok else "not ready yet"))


HEALTH = Health()
"""This process's: one role is one process."""
