"""Text as the hub keeps it: Unicode NFC. Vietnamese letters come composed (NFC) or in parts (NFD), and two spellings of
one name must compare equal. Empty text is how many wire formats say "no value": it becomes null.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import astuple, replace

S = TypeVar("S", bound=Struct)


def nfc(value: str) -> str:
    """Returns the text in NFC; the object itself if it is in NFC already."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def tidy(record: S, required: Container[str] = ()) -> S:
    """NFC for every string of a record, of its records and lists. The very record if nothing is to be changed.

    Text of nothing but blanks becomes None, in the record and in records directly inside it; not in lists, whose items
    have fields that may not be null, nor in the `required` fields.
    """
    mended: dict[str, object] = {}
    place = -1
    for value in astuple(record):
        place += 1
        if value is None:
            continue
        if isinstance(value, str):
            if not value or value.isspace():
                name = record.__struct_fields__[place]
                if name not in required:
                    mended[name] = None
            elif not value.isascii():
                normal = unicodedata.normalize("NFC", value)
                if normal != value:
                    mended[record.__struct_fields__[place]] = normal
        elif isinstance(value, Struct):
            inner = tidy(value)
            if inner is not value:
                mended[record.__struct_fields__[place]] = inner
        elif isinstance(value, tuple) and value:
            items = tuple([_nfc_item(item) for item in value])
            if items != value:
                mended[record.__struct_fields__[place]] = items
    return replace(record, **mended) if mended else record


def _nfc_item(item: object) -> object:
    """An item of a list in NFC: text, or a record with text."""
    if isinstance(item, str):
        return nfc(item)
    if not isinstance(item, Struct):
        return item
    mended: dict[str, object] = {}
    for name, value in zip(item.__struct_fields__, astuple(item), strict=True):
        if isinstance(value, str) and not value.isascii():
            normal = unicodedata.normalize("NFC", value)
            if normal != value:
                mended[name] = normal
    return replace(item, **mended) if mended else item
