"""`since`: a duration back from now (`90m`, `24h`, `7d`), or an RFC 3339 time or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hub.errors import ConfigError

_DURATION = re.compile(r"(\d+)([smhd])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def since_ms(text: str, now: datetime | None = None, option: str = "--since") -> int:
    """Epoch milliseconds; 0 for an empty text. A time without offset is UTC. ConfigError for anything else."""
    if not text:
        return 0
    if found := _DURATION.fullmatch(text):
        moment = (now or datetime.now(UTC)) - timedelta(**{_UNIT[found[2]]: int(found[1])})
        return int(moment.timestamp() * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        rule = "must be a duration as 90m, 24h or 7d, or a time as 2026-11-24T08:00:00+07:00"
        raise ConfigError(option, f"{rule}; got {text!r}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
