"""Bytes of legacy Vietnamese files to Unicode NFC, and back for tests and the demo.

utf-8         with or without byte-order mark; text may be NFD.
windows-1258  Python's cp1258; tone marks are separate combining characters, joined by NFC.
tcvn3         TCVN 5712:1993 VN3 (ABC fonts), one byte a letter. Of capitals beyond ASCII it has seven (Ă Â Đ Ê Ô Ơ Ư)
              and none with a tone mark: agencies write those in a second font, so case can be lost.
vni           VNI-Win, one byte a letter and one a mark that follows it, over windows-1252.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable
from functools import cache

from hub.errors import BadRecord

Names = tuple[str, ...]
ENCODINGS: Names = ("utf-8", "windows-1258", "tcvn3", "vni")
UTF8_BOM = codecs.BOM_UTF8

# TCVN 5712:1993 VN3, bytes A1 to FE; the letter at each place, "." where VN3 has none.
_TCVN3_HIGH = {
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",  # A1..AE
    0xB5: "àảãáạ.ằẳẵắ",  # B5..BE
    0xC6: "ặầẩẫấậè.ẻẽéẹềểễếệìỉ...ĩíịò.ỏõóọồổỗốộờởỡớợù.ủũúụừửữứựỳỷỹýỵ",  # C6..FE
}

# VNI: what a mark byte (as windows-1252) does to the letter before it.
_TONES = {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_CIRCUMFLEX = {"â": "", "á": "\u0301", "à": "\u0300", "å": "\u0309", "ã": "\u0303", "ä": "\u0323"}
_BREVE = {"ê": "", "é": "\u0301", "è": "\u0300", "ú": "\u0309", "ü": "\u0303", "ë": "\u0323"}
# Letters that stand alone in VNI.
_VNI_SINGLE = {"ñ": "đ", "ô": "ơ", "ö": "ư", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}


def nfc(text: str) -> str:
    """Unicode canonical composition: the one form in which the hub keeps text."""
    return unicodedata.normalize("NFC", text)


@cache
def _tcvn3() -> dict[int, str]:
    """Code point (the byte, as latin-1) -> letter. Bytes below A1 stand for themselves; unused ones are left out."""
    table = {first + i: c for first, row in _TCVN3_HIGH.items() for i, c in enumerate(row) if c != "."}
    # Word processors put windows-1252's dashes and quotes between the letters.
    punctuation = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA1)}
    return table | {byte: chr(byte) for byte in range(0x80)} | {b: c for b, c in punctuation.items() if c}


@cache
def _vni() -> dict[str, str]:
    """VNI letter or letter pair (as windows-1252) -> Unicode letter, small and capital."""
    table = dict(_VNI_SINGLE)
    for base in "aeouy":
        table |= {base + mark: nfc(base + tone) for mark, tone in _TONES.items()}
    for base in "aeo":
        table |= {base + mark: nfc(base + "\u0302" + tone) for mark, tone in _CIRCUMFLEX.items()}
    table |= {"a" + mark: nfc("a\u0306" + tone) for mark, tone in _BREVE.items()}
    for base, letter in (("ô", "ơ"), ("ö", "ư")):
        table |= {base + mark: nfc(letter + tone) for mark, tone in _TONES.items()}
    capital = {k.upper(): v.upper() for k, v in table.items()}
    # In a word with one capital the mark may have been left small.
    mixed = {k[0].upper() + k[1]: v.upper() for k, v in table.items() if len(k) == 2}
    return mixed | capital | table


@cache
def _vni_pattern() -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, _vni()), key=len, reverse=True)))


def _decode_tcvn3(raw: bytes) -> str:
    table = _tcvn3()
    try:
        return "".join([table[byte] for byte in raw])
    except KeyError as error:
        raise UnicodeError(f"byte 0x{error.args[0]:02X} is no letter of TCVN3") from None


def _decode_vni(raw: bytes) -> str:
    return _vni_pattern().sub(lambda m: _vni()[m[0]], raw.decode("cp1252"))


_DECODERS: dict[str, Callable[[bytes], str]] = {
    "utf-8": lambda raw: raw.decode("utf-8"),
    "windows-1258": lambda raw: raw.decode("cp1258"),
    "tcvn3": _decode_tcvn3,
    "vni": _decode_vni,
}


def decode(raw: bytes, encoding: str) -> str:
    """NFC text. BadRecord (`encoding`) names the encoding and the first byte that does not belong to it."""
    try:
        return nfc(_DECODERS[encoding](raw))
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        problem = f"byte 0x{byte:02X} at place {error.start + 1}: {error.reason}"
    except UnicodeError as error:
        problem = str(error)
    raise BadRecord("encoding", f"not {encoding}: {problem}; save the file in {encoding}, or mend `encoding`")


def encode(text: str, encoding: str) -> bytes:
    """The other way round; UnicodeEncodeError where the encoding has no such letter."""
    text = nfc(text)
    if encoding == "utf-8":
        return text.encode()
    if encoding == "windows-1258":
        return "".join(map(_split_for_1258, text)).encode("cp1258")
    table = _reverse(encoding)
    try:
        return b"".join([table[c] if c in table else c.encode("ascii") for c in text])
    except UnicodeEncodeError as error:
        raise UnicodeEncodeError(encoding, text, 0, len(text), f"no letter {error.object!r}") from None


@cache
def _reverse(encoding: str) -> dict[str, bytes]:
    if encoding == "tcvn3":
        return {letter: bytes([byte]) for byte, letter in _tcvn3().items()}
    return {letter: pair.encode("cp1252") for pair, letter in _vni().items()}


@cache
def _split_for_1258(letter: str) -> str:
    """A letter of Unicode as windows-1258 has it: itself, or a letter and a combining tone."""
    try:
        letter.encode("cp1258")
        return letter
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", letter)
        tones = [c for c in parts if c in "\u0300\u0301\u0303\u0309\u0323"]
        rest = nfc("".join(c for c in parts if c not in tones))
        return rest + "".join(tones)
