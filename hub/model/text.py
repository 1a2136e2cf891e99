"""Text as the hub keeps it: Unicode NFC. Vietnamese letters come composed (NFC) or in parts (NFD), and two spellings of
one name must compare equal. Empty text is how many wire formats say "no value": it becomes null.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from typing import Any


def nfc(value: str) -> str:
    """Returns the text in NFC; the object itself if it is in NFC already."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def tidy(datum: dict[str, Any], required: Container[str] = ()) -> bool:
    """NFC for every string of a record, of its records and lists, in place. True if anything changed.

    Text of nothing but blanks becomes None, in the record and in records directly inside it; not in lists, whose items
    have fields that may not be null, nor in the `required` fields.
    """
    changed = False
    for name, value in datum.items():
        kind = type(value)
        if kind is str:
            if not value.strip():
                if name not in required:
                    datum[name] = None
                    changed = True
            elif not value.isascii():
                normal = unicodedata.normalize("NFC", value)
                if normal != value:
                    datum[name] = normal
                    changed = True
        elif kind is dict:
            changed |= tidy(value)
        elif kind is list and value:
            changed |= _nfc_items(value)
    return changed


def _nfc_items(items: list[Any]) -> bool:
    changed = False
    for number, item in enumerate(items):
        if isinstance(item, str):
            if (normal := nfc(item)) != item:
                items[number] = normal
                changed = True
        elif isinstance(item, dict):
            for name, value in item.items():
                if isinstance(value, str) and (normal := nfc(value)) != value:
                    item[name] = normal
                    changed = True
    return changed
