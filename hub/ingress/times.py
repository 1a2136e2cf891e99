"""A time as a sender may write it: RFC 3339 with offset, in JSON also epoch milliseconds."""

from __future__ import annotations

import re
from datetime import datetime

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
SECONDS_BELOW = 100_000_000_000
"""A time before March 1973, if these are milliseconds: then they are seconds, and every date would be in 1970."""
YEAR_10000 = 253_402_300_800_000


class NoTime(ValueError):
    """Its text is the rule that is broken, without the value."""


def parse_time(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time with offset. NoTime."""
    if not _RFC3339.fullmatch(text):
        raise NoTime("must be an RFC 3339 time with offset, as 2026-11-24T08:30:00+07:00")
    try:
        return round(datetime.fromisoformat(text.upper()).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise NoTime("there is no such date or time") from None


def json_time(value: object) -> int:
    """Epoch milliseconds of a time in JSON. NoTime."""
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise NoTime("must be an RFC 3339 time or epoch milliseconds")
    if not SECONDS_BELOW <= value < YEAR_10000:
        raise NoTime("must be epoch milliseconds (13 digits); fewer digits are seconds")
    return value
