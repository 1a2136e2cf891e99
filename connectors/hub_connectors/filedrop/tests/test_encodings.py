"""The byte samples are written by hand from the published tables (TCVN 5712:1993 VN3, VNI-Win, windows-1258)."""

from __future__ import annotations

import unicodedata

import pytest

from hub.errors import BadRecord
from hub_connectors.filedrop.encodings import decode, encode, nfc

MOTTO = "Cộng hòa xã hội chủ nghĩa Việt Nam. Độc lập - Tự do - Hạnh phúc"
SMALL = "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ"


def test_tcvn3_as_abc_fonts_write_it() -> None:
    raw = "Céng hßa x· héi chñ nghÜa ViÖt Nam. §éc lËp - Tù do - H¹nh phóc".encode("latin-1")
    assert decode(raw, "tcvn3") == MOTTO


def test_vni_as_vni_fonts_write_it() -> None:
    raw = "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam. Ñoäc laäp - Töï do - Haïnh phuùc".encode("cp1252")
    assert decode(raw, "vni") == MOTTO
    assert decode("PHAN THIEÁT, BÌNH THUAÄN, Ñöùc Linh, Haøm Taân".encode("cp1252"), "vni") == (
        "PHAN THIẾT, BÌNH THUẬN, Đức Linh, Hàm Tân"
    )


def test_windows_1258_joins_combining_marks() -> None:
    # ê + dot below (F2), a + acute (EC), o horn (F5) + grave (CC), â (E2) + hook above (D2), đ (F0), ư (FD)
    raw = b"Vi\xea\xf2t, Ph\xfa\xec, l\xf5\xcci, \xe2\xd2n, \xf0\xfd\xf5\xccng"
    assert decode(raw, "windows-1258") == nfc("Việt, Phú́, lời, ẩn, đường")


def test_utf8_in_decomposed_form_is_composed() -> None:
    text = decode(unicodedata.normalize("NFD", MOTTO).encode(), "utf-8")
    assert text == MOTTO
    assert unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1258", "tcvn3", "vni"])
def test_every_vietnamese_letter_comes_back(encoding: str) -> None:
    assert len(SMALL) == 67
    assert decode(encode(SMALL + " ĂÂĐÊÔƠƯ", encoding), encoding) == SMALL + " ĂÂĐÊÔƠƯ"
    if encoding != "tcvn3":
        assert decode(encode(SMALL.upper(), encoding), encoding) == SMALL.upper()


def test_tcvn3_has_no_capital_with_a_tone() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("Ánh", "tcvn3")


@pytest.mark.parametrize(("raw", "encoding"), [(b"Vi\xc3\x28t", "utf-8"), (b"a\xff", "tcvn3"), (b"a\x81", "vni")])
def test_a_byte_that_does_not_belong_is_named(raw: bytes, encoding: str) -> None:
    with pytest.raises(BadRecord, match=r"0x[0-9A-F]{2}") as caught:
        decode(raw, encoding)
    assert caught.value.reason == "encoding"
    assert encoding in caught.value.detail
