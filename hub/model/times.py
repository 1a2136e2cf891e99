"""Times: int milliseconds since the epoch, UTC, and which of them can be true.

An event judged in event time trusts the source's clock. One that claims a day far ahead would make every later step of
its dossier look late, so it is refused instead; seconds sent for milliseconds are told apart from early dates.
"""

from __future__ import annotations

from datetime import UTC, datetime

from hub.errors import BadRecord

EARLIEST_MS = 100_000_000_000
"""3 March 1973. What is below are seconds sent as milliseconds (all dates would fall into January 1970), or an empty
field sent as 0."""

LATEST_MS = 1 << 42
"""15 May 2109: what the packed history can hold."""

AHEAD_MS = 24 * 3_600_000
"""How far a source's clock may be ahead of the record's own time: one day, so that local time (UTC+7) sent as UTC and a
clock that is a little wrong pass, a wrong year does not. Ours."""


def utc_text(ms: int) -> str:
    """RFC 3339 in UTC with milliseconds, as `2026-11-24T01:30:00.000Z`."""
    whole, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def check_time(ms: int, field: str) -> None:
    """BadRecord (`date`) if this can be no date of a dossier, in the past or the future."""
    if not EARLIEST_MS <= ms < LATEST_MS:
        raise BadRecord("date", f"{field}: must be epoch milliseconds after March 1973 (13 digits); got {ms}", field)


def check_event_time(ms: int, field: str, recorded_ms: int) -> None:
    """BadRecord (`date`) if the event claims to have happened more than AHEAD_MS after it was recorded."""
    check_time(ms, field)
    if ms > recorded_ms + AHEAD_MS:
        raise BadRecord(
            "date",
            f"{field}: {utc_text(ms)} is more than a day after the event was recorded ({utc_text(recorded_ms)}); "
            "check the source's clock, or its year",
            field,
        )
