"""When a role that died is started again, and when it is left down. Pure: the caller brings the clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub import exit_codes


@dataclass(frozen=True, slots=True)
class Policy:
    """first_s doubles up to cap_s; a life of steady_s or longer clears the count; `lives` short ones end it."""

    first_s: float = 0.5
    cap_s: float = 30.0
    steady_s: float = 60.0
    lives: int = 6


@dataclass(slots=True)
class Restarts:
    """The short lives of one role in a row."""

    policy: Policy = field(default_factory=Policy)
    short: int = 0

    def after(self, lived_s: float, code: int) -> float | None:
        """Seconds to wait before the next start; None: it keeps dying, leave it down.

        A wrong setting (exit code 2) does not mend itself: there is no second try.
        """
        if code == exit_codes.USAGE:
            return None
        self.short = 1 if lived_s >= self.policy.steady_s else self.short + 1
        if self.short >= self.policy.lives:
            return None
        return float(min(self.policy.cap_s, self.policy.first_s * 2 ** (self.short - 1)))

    def forgive(self) -> None:
        """Its death had a cause outside (the broker was away): it does not count."""
        self.short = 0
