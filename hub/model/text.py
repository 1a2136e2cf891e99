"""Text as the hub keeps it: Unicode NFC. Vietnamese letters come composed (NFC) or in parts (NFD), and two spellings of
one name must compare equal. Empty text is how many wire formats say "no value" (domain notes 1.4): it becomes null.
"""

from __future__ import annotations

import unicodedata
from typing import Any


def nfc(value: str) -> str:
    """The same text in NFC; the same object if it is that already."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def nfc_in_place(datum: dict[str, Any]) -> bool:
    """NFC for every string in a record, its records and its lists of records. True if anything changed."""
    changed = False
    for name, value in datum.items():
        kind = type(value)
        if kind is str:
            if not value.isascii():
                normal = unicodedata.normalize("NFC", value)
                if normal is not value and normal != value:
                    datum[name] = normal
                    changed = True
        elif kind is dict:
            changed |= nfc_in_place(value)
        elif kind is list and value:
            changed |= _list_in_place(value)
    return changed


def _list_in_place(items: list[Any]) -> bool:
    changed = False
    for number, item in enumerate(items):
        if isinstance(item, dict):
            changed |= nfc_in_place(item)
        elif isinstance(item, str) and (normal := nfc(item)) != item:
            items[number] = normal
            changed = True
    return changed


def blank_to_null(datum: dict[str, Any], keep: frozenset[str]) -> bool:
    """Text of nothing but blanks becomes None, in the record and in records directly inside it; not in lists, whose
    items have required fields, nor in the fields to `keep`. True if anything changed."""
    changed = False
    for name, value in datum.items():
        kind = type(value)
        if kind is str:
            if (not value or value.isspace()) and name not in keep:
                datum[name] = None
                changed = True
        elif kind is dict:
            changed |= blank_to_null(value, keep)
    return changed
