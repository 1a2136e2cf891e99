"""Values as the national catalogue writes them (docs/field/packets.md#procedure): text, numbers, dates, lists.

A number or a date that is told in words only ("theo quy định") has no value here; it stays in the entry's note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from hub.model.text import nfc
from hub_connectors.national_portal.wire import HO_CHI_MINH

Row = Mapping[str, Any]

_AMOUNT = re.compile(r"(\d{1,3}([., ]\d{3})+|\d+)\s*(đồng|vnđ|vnd|đ)?", re.IGNORECASE)
_DATES = ("%Y%m%d%H%M%S", "%Y%m%d", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y", "%Y-%m-%d")
_LONGEST_AMOUNT = 15


def text(value: Any) -> str | None:
    """NFC, blanks at the ends off, runs of blanks one blank; None for nothing."""
    if value is None or isinstance(value, dict | list):
        return None
    return nfc(" ".join(str(value).split())) or None


def rows(value: Any) -> Iterator[Row]:
    """The objects of a list; a single object counts as a list of one, as some writers of XML-born JSON send it."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield item


def amount(value: Any) -> int | None:
    """Đồng, as 8000, "8000", "8.000", "8,000 đồng". None if it is no amount, or more than 15 digits."""
    found = _AMOUNT.fullmatch(text(value) or "")
    digits = re.sub(r"\D", "", found[1]) if found else ""
    return int(digits) if digits and len(digits) <= _LONGEST_AMOUNT else None


def number(value: Any) -> float | None:
    """ "10", "10.5", "10,5"."""
    try:
        found = float((text(value) or "").replace(",", "."))
    except ValueError:
        return None
    return found if 0 <= found < 1_000_000 else None


def count(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None else None


def day(value: Any) -> int | None:
    """Midnight of that day, or the moment, in Việt Nam; epoch milliseconds. None if it is no date."""
    for form in _DATES:
        try:
            return int(datetime.strptime(text(value) or "", form).replace(tzinfo=HO_CHI_MINH).timestamp() * 1000)
        except ValueError:
            continue
    return None


def codes(value: Any, field: str) -> list[str]:
    """Codes of a list of objects, a list of texts, or a text with commas or semicolons: the form is not published."""
    if isinstance(value, str):
        value = re.split(r"[;,]", value)
    found = [item.get(field) if isinstance(item, Mapping) else item for item in value or []]
    return sorted({code for item in found if (code := text(item))})
