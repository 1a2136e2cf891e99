"""Takes personal data out of free text before it is kept: a portal's answer, an operator's reason.

Two ways together: values that are known to be personal (a delivered event marks them) are found wherever they are
repeated, and patterns catch the rest: names, phones, identity numbers, e-mail addresses. Codes are left readable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hub.avro.personal import initials

KEEP_BYTES = 1_024
_LOOK_CHARS = 8 * KEEP_BYTES
_SHORTEST = 3

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Vietnamese mobile and landline numbers, domestic or with +84, spaces and dots allowed between groups.
_PHONE = re.compile(r"(?<![\w.-])(?:\+?84|0)(?:[ .]?\d){9,10}(?![\w-])")
# CCCD of 12 digits, CMND of 9: not as a part of a longer code.
_IDENTITY = re.compile(r"(?<![\w.-])(?:\d{12}|\d{9})(?![\w-])")
# Wire names under which portals echo a person (docs/field/packets.md), in JSON or form style;
# without quotes nothing tells where a name ends, so the rest of the line goes.
_NAMED = re.compile(
    r'("?(?:ChuHoSo|HoTen|TenNguoi\w*|NguoiXuLy|NguoiNop\w*|DiaChi|Email|SoDienThoai|SoDinhDanh|MaDoiTuong'
    r'|full_?name|applicant|address)"?\s*[:=]\s*)("(?:[^"\\]|\\.)*(?:"|$)|[^",;&}<\n]+)',
    re.IGNORECASE,
)


def masked(text: str, known: Iterable[str] = ()) -> str:
    """The first 1 kB (in UTF-8) of the text, personal data replaced. `known`: values to look for."""
    text = text[:_LOOK_CHARS]
    for value in sorted(set(known), key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, initials(value))
    text = _NAMED.sub(r'\1"***"', text)
    text = _EMAIL.sub("***@***", text)
    text = _IDENTITY.sub("[number]", text)
    text = _PHONE.sub("[phone]", text)
    return text.encode()[:KEEP_BYTES].decode(errors="ignore")
