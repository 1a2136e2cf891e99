"""How the national portal writes values (docs/field/portal.md#written-values), and the tables of words in mapping.json.

Dates yyyyMMddHHmmss in Asia/Ho_Chi_Minh, empty string for no value, numbers and codes as strings.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from importlib import resources
from typing import Any

from hub.errors import Rejected
from hub.untyped import JsonObject

# Việt Nam has kept UTC+7 without summer time since 1975, which spares the time-zone database.
HO_CHI_MINH = timezone(timedelta(hours=7))
WORDS: dict[str, JsonObject] = json.loads(
    resources.files("hub_connectors.national_portal").joinpath("mapping.json").read_text(encoding="utf-8")
)


def wire_time(milliseconds: int | None) -> str:
    """yyyyMMddHHmmss, or "" for none; parts of a second are dropped. Rejected (`date`) beyond the calendar."""
    if milliseconds is None:
        return ""
    try:
        moment = datetime.fromtimestamp(milliseconds // 1000, UTC).astimezone(HO_CHI_MINH)
    except (ValueError, OverflowError, OSError):
        raise Rejected("date", f"{milliseconds} ms is no date that the portal can take") from None
    return f"{moment:%Y%m%d%H%M%S}".rjust(14, "0")


def text(value: Any) -> str:
    """The value as a string, "" for none."""
    return "" if value is None else str(value)


def length(value: str, utf16: bool = True) -> int:
    """In UTF-16 units, as Java and .NET count, in which the portal's limits are taken to be; or in code points."""
    return len(value) + (sum(ch > "\uffff" for ch in value) if utf16 else 0)


def fit(value: str, limit: int, utf16: bool = True) -> str:
    """The longest beginning that, with an ellipsis, has at most `limit` units; no surrogate pair is torn."""
    room, kept = limit - 1, 0
    for ch in value:
        room -= length(ch, utf16)
        if room < 0:
            break
        kept += 1
    return value[:kept] + "…"
