"""What the writers make of values at their bounds, plain and compiled: `python -m tests.support.avro_bounds`."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from librt.strings import BytesWriter

from hub.avro import writer
from hub.avro.body.dossier import write_dossier_deadline
from hub.avro.body.service import write_service_change
from hub.avro.records import DossierDeadline, ServiceChange

PAYLOAD = struct.unpack("<d", bytes.fromhex("010000000000f87f"))[0]

# (function of hub.avro.writer, value, the bytes after the Avro specification or the error); a long text stands as its
# first bytes and its length
CASES: list[tuple[str, Any, str]] = [
    ("put_long", 0, "00"),
    ("put_long", -1, "01"),
    ("put_long", 63, "7e"),
    ("put_long", 64, "8001"),
    ("put_long", -64, "7f"),
    ("put_long", -65, "8101"),
    ("put_long", 2**31, "8080808010"),
    ("put_long", 2**62 - 1, "feffffffffffffff7f"),
    ("put_long", 2**62, "80808080808080808001"),
    ("put_long", -(2**62), "ffffffffffffffff7f"),
    ("put_long", -(2**62) - 1, "81808080808080808001"),
    ("put_long", 2**63 - 1, "feffffffffffffffff01"),
    ("put_long", -(2**63), "ffffffffffffffffff01"),
    ("put_long", 2**63, "ValueError: a long has more than 64 bits"),
    ("put_long", -(2**63) - 1, "ValueError: a long has more than 64 bits"),
    ("put_long", 2**64, "ValueError: a long has more than 64 bits"),
    ("put_long", -(2**100), "ValueError: a long has more than 64 bits"),
    ("put_optional_long", None, "00"),
    ("put_optional_long", 2**63 - 1, "02feffffffffffffffff01"),
    ("put_optional_long", 2**63, "ValueError: a long has more than 64 bits"),
    ("put_int", 2**31 - 1, "feffffff0f"),
    ("put_int", -(2**31), "ffffffff0f"),
    ("put_int", 2**31, "ValueError: an int has more than 32 bits"),
    ("put_int", -(2**31) - 1, "ValueError: an int has more than 32 bits"),
    ("put_int", 2**64, "ValueError: an int has more than 32 bits"),
    ("put_optional_int", None, "00"),
    ("put_optional_int", -(2**31), "02ffffffff0f"),
    ("put_optional_int", 2**31, "ValueError: an int has more than 32 bits"),
    ("put_double", 0.0, "0000000000000000"),
    ("put_double", -0.0, "0000000000000080"),
    ("put_double", 1.5, "000000000000f83f"),
    ("put_double", float("inf"), "000000000000f07f"),
    ("put_double", float("-inf"), "000000000000f0ff"),
    ("put_double", float("nan"), "000000000000f87f"),
    ("put_double", PAYLOAD, "010000000000f87f"),
    ("put_double", 5e-324, "0100000000000000"),
    ("put_double", 5, "0000000000001440"),
    ("put_long", True, "02"),
    ("put_optional_double", None, "00"),
    ("put_optional_double", -0.0, "020000000000000080"),
    ("put_boolean", True, "01"),
    ("put_boolean", False, "00"),
    ("put_optional_boolean", None, "00"),
    ("put_optional_boolean", True, "0201"),
    ("put_string", "", "00"),
    ("put_string", "Đ", "04c490"),
    ("put_string", "\0", "0200"),
    ("put_string", "\U0001f600", "08f09f9880"),
    ("put_string", "a" * 63, "7e61616161616161… 64"),
    ("put_string", "a" * 64, "8001616161616161… 66"),
    ("put_string", "é" * 5_000_000, "80dac409c3a9c3a9… 10000004"),
    ("put_string", "\ud800", "UnicodeEncodeError: surrogates not allowed"),
    ("put_string", "a\udfff", "UnicodeEncodeError: surrogates not allowed"),
    ("put_optional_string", None, "00"),
    ("put_optional_string", "", "0200"),
    ("put_optional_string", "a" * 64, "0280016161616161… 67"),
    ("put_optional_string", "\ud800", "UnicodeEncodeError: surrogates not allowed"),
    ("put_strings", (), "00"),
    ("put_strings", ("", "a"), "0400026100"),
    ("put_optional_strings", None, "00"),
    ("put_optional_strings", (), "0200"),
    ("put_optional_strings", ("a",), "0202026100"),
    ("put_longs", (), "00"),
    ("put_longs", (1, -1), "04020100"),
    ("put_longs", (2**63,), "ValueError: a long has more than 64 bits"),
]


def outcome(work: Callable[[], bytes]) -> str:
    """The bytes in hex, or the error."""
    try:
        made = work().hex()
    except UnicodeEncodeError as error:
        return f"UnicodeEncodeError: {error.reason}"
    except (ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return made if len(made) <= 64 else f"{made[:16]}… {len(made) // 2}"


def put(name: str, value: Any) -> bytes:
    out = BytesWriter()
    getattr(writer, name)(out, value)
    return out.getvalue()


def outcomes() -> list[str]:
    """Of every case, in order."""
    return [outcome(partial(put, name, value)) for name, value, _ in CASES]


def deadline(fields: dict[str, Any]) -> bytes:
    return write_dossier_deadline(DossierDeadline(**fields))


def service(level: int) -> bytes:
    return write_service_change(ServiceChange(service_code="x", change="AMENDED", occurred_at=1, level=level))


def of_records() -> dict[str, str]:
    """The same bounds where they stand in a record."""
    near = {"dossier_code": "x", "kind": "DUE", "occurred_at": 1, "due_at": 2, "deadline_at": 3}
    deadlines: dict[str, dict[str, Any]] = {
        "usual": {},
        "long": {"due_at": 2**63},
        "surrogate": {"dossier_code": "\ud800"},
        "symbol": {"kind": "NEVER"},
    }
    found = {case: outcome(partial(deadline, near | changes)) for case, changes in deadlines.items()}
    for case, level in (("int", 2**31 - 1), ("int too large", 2**31)):
        found[case] = outcome(partial(service, level))
    return found


if __name__ == "__main__":
    print(json.dumps({"file": writer.__file__, "outcomes": outcomes(), "records": of_records()}))
