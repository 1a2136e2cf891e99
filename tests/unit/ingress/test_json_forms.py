"""Forms of time, number and text in JSON: what is taken and as what, and what is refused, from the body's bytes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.gateway.ingest import Ingest
from hub.ingress import cloudevents
from tests.support.codecs import fixed_codec
from tests.unit.gateway.test_http import Broker

CODEC = fixed_codec()
SOURCE = "urn:vn:gov:H11.12:motcua"
ORG = Organisation(name="motcua", sources=(SOURCE,), agencies=("H11.12",))
MALFORMED = "malformed"
"""The whole body is refused."""

# By hand: 2026-11-24T00:00Z is day 20,781 since 1970, times 86,400 s.
DAY = 1_795_478_400_000
TIMES: dict[str, int | str] = {
    '"2026-11-24T07:00:00+07:00"': DAY,
    '"2026-11-24 00:00:00Z"': DAY,
    '"2026-11-24t00:00:00z"': DAY,
    '"2026-11-24T00:00:00-00:00"': DAY,
    '"2026-11-24T00:00:00.1234567Z"': DAY + 123,
    '"2026-11-24T00:00:00.123456789Z"': DAY + 123,
    '"2026-11-24T00:00:00.9996Z"': DAY + 1_000,
    '"2026-11-24T00:00:00.9Z"': DAY + 900,
    '"2026-11-24T07:00:00+0700"': "date",
    '"2026-11-24T07:00:00+07"': "date",
    '"2026-11-24T07:00:00+24:00"': "date",
    '"2026-11-24T00:00:00"': "date",
    '"2026-11-24T00:00Z"': "date",
    '"2026-11-24T00:00:60Z"': "date",
    '"2026-11-24T24:01:00Z"': "date",
    '"20261124T000000Z"': "date",
    '" 2026-11-24T00:00:00Z"': "date",
    '"２026-11-24T00:00:00Z"': "date",
    '"1795478400000"': "date",
    "1795478400000": DAY,
    "100000000000": 100_000_000_000,
    "99999999999": "date",
    "253402300799999": 253_402_300_799_999,
    "253402300800000": "date",
    "1795478400000.0": "date",
    "1.7954784e12": "date",
    "18446744073709551616": "date",
    "-1": "date",
    "true": "date",
    "null": "date",
}
INTS: dict[str, int | str] = {
    "5": 5,
    "-0": 0,
    "2147483647": 2_147_483_647,
    "-2147483648": -2_147_483_648,
    "2147483648": "type",
    "18446744073709551616": "type",
    "123456789012345678901234567890": "type",
    "5.0": "type",
    "5e0": "type",
    '"5"': "type",
    "true": "type",
    "[5]": "type",
    "NaN": MALFORMED,
    "Infinity": MALFORMED,
    "1e400": MALFORMED,
    "05": MALFORMED,
    "+5": MALFORMED,
}
LONGS: dict[str, int | str] = {
    "9223372036854775807": 2**63 - 1,
    "-9223372036854775808": -(2**63),
    "9223372036854775808": "type",
    "-9223372036854775809": "type",
    "1e3": "type",
}
DOUBLES: dict[str, float | str] = {
    "1.5": 1.5,
    "3": 3.0,
    "1e308": 1e308,
    "18446744073709551616": 18_446_744_073_709_551_616.0,
    "9007199254740993": 9_007_199_254_740_992.0,
    "true": "type",
    '"3"': "type",
    "-1e999": MALFORMED,
}
TEXTS: dict[bytes, str | tuple[str]] = {
    b'"x"': ("x",),
    '"Tiếp nhận"'.encode(): ("Tiếp nhận",),
    rb'"\ud83d\ude00"': ("😀",),
    rb'"\u0000"': ("\0",),
    rb'"a\/b"': ("a/b",),
    rb'"\ud800"': MALFORMED,
    rb'"\udc00\ud800"': MALFORMED,
    b'"\xff"': MALFORMED,
    b'"\xed\xa0\x80"': MALFORMED,
    b'"\xc0\x80"': MALFORMED,
    b'"a\nb"': MALFORMED,
    rb'"\x41"': MALFORMED,
    b"'x'": MALFORMED,
    b"5": "type",
    b"{}": "type",
}


def body(data: bytes) -> bytes:
    head = f'{{"specversion": "1.0", "id": "e-1", "source": "{SOURCE}", "type": "vn.hub.dossier.step", "data": '
    return head.encode() + data + b"}"


def field(**more: bytes) -> bytes:
    least = {"dossier_code": b'"H11.12-261124-0001"', "step": b'"RECEIVED"', "occurred_at": b"1795489200000"}
    return b"{" + b", ".join(b'"%b": %b' % (name.encode(), raw) for name, raw in (least | more).items()) + b"}"


def taken(data: bytes) -> dict[str, Any] | str:
    """The datum that stands in hub.ingress, or the reason why there is none."""
    broker = Broker()
    try:
        event = cloudevents.parse_json(body(data))
    except BadRecord as error:
        return error.reason
    (result,) = asyncio.run(Ingest(CODEC, broker).take_json(ORG, [event]))
    return result.reason or CODEC.decode(broker.lines[0][1])[1]


def value(found: dict[str, Any] | str, *path: Any) -> Any:
    for one in path:
        found = found if isinstance(found, str) else found[one]
    return found


@pytest.mark.parametrize("raw", TIMES)
def test_times(raw: str) -> None:
    assert value(taken(field(occurred_at=raw.encode())), "occurred_at") == TIMES[raw]


@pytest.mark.parametrize("raw", TIMES)
def test_times_that_may_be_left_out(raw: str) -> None:
    wanted = None if raw == "null" else TIMES[raw]
    assert value(taken(field(due_at=raw.encode())), "due_at") == wanted


@pytest.mark.parametrize("raw", INTS)
def test_ints(raw: str) -> None:
    assert value(taken(field(rating=raw.encode())), "rating") == INTS[raw]


@pytest.mark.parametrize("raw", LONGS)
def test_longs(raw: str) -> None:
    fee = b'[{"code": "P", "name": "Q", "amount_vnd": %b}]' % raw.encode()
    assert value(taken(field(fees=fee)), "fees", 0, "amount_vnd") == LONGS[raw]


@pytest.mark.parametrize("raw", DOUBLES)
def test_doubles(raw: str) -> None:
    assert value(taken(field(transfer_limit=raw.encode())), "transfer_limit") == DOUBLES[raw]


@pytest.mark.parametrize("raw", TEXTS)
def test_text(raw: bytes) -> None:
    wanted = TEXTS[raw]
    assert value(taken(field(note=raw)), "note") == (wanted if isinstance(wanted, str) else wanted[0])


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (field(note=b'"a", "note": "b"'), "b"),  # of a key that stands twice the last holds
        (field(note=b'5, "note": "b"'), "b"),
        (field(note=b'"a", "note": 5'), "type"),
        (field(note=b'"a",'), MALFORMED),
        (field(note=b'"a" /* x */'), MALFORMED),
        (b"[" * 2_000 + b"]" * 2_000, MALFORMED),
        (b"null", "missing_field"),
        (b'"x"', "type"),
    ],
)
def test_structure(data: bytes, wanted: str) -> None:
    assert value(taken(data), "note") == wanted


def test_a_byte_order_mark_is_no_json() -> None:
    with pytest.raises(BadRecord, match="malformed"):
        cloudevents.parse_json(b"\xef\xbb\xbf{}")
