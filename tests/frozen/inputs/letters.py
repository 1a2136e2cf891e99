"""What cannot be used, by reason. Each is worked alone, after the events of `before`, and becomes one dead letter."""

from __future__ import annotations

import struct
from typing import Any

from tests.frozen.inputs import CODE, Event, procedure, service, step

AT = "2026-01-05 08:00"
GOOD = step("RECEIVED", AT, abstract="Xin cấp phép xây dựng")

EVENTS: dict[str, Event] = {
    "status, step": step("UNKNOWN", AT),
    "status, change": procedure("UNKNOWN", AT),
    "code, dossier": step("RECEIVED", AT, "H11.12-260231-0001"),
    "code, agency": GOOD | {"agency_code": "Sở Y tế"},
    "code, transferred to": step("TRANSFERRED", AT, transferred_to="?"),
    "code, procedure of a dossier": GOOD | {"procedure_code": "1.4"},
    "code, parent": GOOD | {"parent_code": CODE},
    "code, procedure": procedure("PUBLISHED", AT, "1004194"),
    "code, service": service("PUBLISHED", AT, "1.004194"),
    "missing_field, transferred to": step("TRANSFERRED", AT, transfer_limit=3.0, transfer_limit_unit="Giờ"),
    "missing_field, new date": step("RESCHEDULED", AT),
    "missing_field, rating": step("RATED", AT),
    "limit, rating": step("RATED", AT, rating=6),
    "limit, level": service("PUBLISHED", AT, level=5),
    "limit, unit": step("TRANSFERRED", AT, transferred_to="H11.05", transfer_limit=3.0, transfer_limit_unit="Tuần"),
    "limit, amount": step(
        "TRANSFERRED", AT, transferred_to="H11.05", transfer_limit=367.0, transfer_limit_unit="Tháng"
    ),
    "limit, attachments": GOOD | {"attachments": [{"id": f"{n}", "result": False} for n in range(1_001)]},
    "limit, size": GOOD | {"note": "x" * 1_048_000},
    "date, ahead": step("RECEIVED", "2026-11-26 08:00"),
    "date, seconds for milliseconds": step("RECEIVED", AT, due_at=1_767_571_200),
    "date, change": procedure("PUBLISHED", "2026-11-26 08:00"),
    "right": step("IN_PROCESS", AT, _agencies="H11.05"),
    "not_offered": step("SUBMITTED", AT, channel="ONLINE", procedure_code="1.009999"),
    "transition, after": step("IN_PROCESS", "2026-01-10 08:00", "H11.12-260105-0009"),
    "transition, before": step("RETURNED", "2026-01-04 08:00", "H11.12-260105-0009"),
    "conflict": step("IN_PROCESS", "2026-01-05 09:00", "H11.12-260105-0009", _id="done"),
}

BEFORE: list[Event] = [
    step("RECEIVED", AT, "H11.12-260105-0009", _id="begun"),
    step("RETURNED", "2026-01-09 08:00", "H11.12-260105-0009", _id="done"),
    procedure("PUBLISHED", "2026-01-02 08:00", "1.009999"),
    service("PUBLISHED", "2026-01-02 08:00", "1.009999.01"),
    service("WITHDRAWN", "2026-01-03 08:00", "1.009999.01"),
]


def bytes_of(good: bytes, ids: dict[str, int]) -> dict[str, bytes | None]:
    """Bytes that are no event, from those of `GOOD`."""
    return {
        "truncated, nothing": None,
        "truncated, head": good[:3],
        "truncated, body": good[:-1],
        "magic_byte, one": b"\x01" + good[1:],
        "magic_byte, JSON": b'{"dossier_code": "x"}',
        "schema_id": b"\x00" + struct.pack(">I", 999) + good[5:],
        "schema_mismatch": b"\x00" + struct.pack(">I", ids["vn.hub.Delivery"]) + good[5:],
        "utf8": good.replace(b"Xin", b"X\xff\xfe"),
        "avro, bytes after it": good + b"\x00",
        "kind of step unknown": good[: 6 + len(CODE)] + b"\x60" + good[7 + len(CODE) :],
    }


Headers = list[tuple[str, bytes]]


def headers_of(good: Headers) -> dict[str, Headers]:
    """Envelopes that cannot be used, from that of `GOOD`."""

    def put(name: str, value: bytes) -> Headers:
        return [(own, value if own == name else raw) for own, raw in good]

    return {
        "envelope, none": [],
        "envelope, no id": [pair for pair in good if pair[0] != "ce_id"],
        "envelope, version": put("ce_specversion", b"0.3"),
        "envelope, type": put("ce_type", b"vn.hub.unheard.of"),
        "envelope, not UTF-8": put("ce_source", b"\xff"),
        "envelope, number": [*good, ("hub_seq", b"many")],
        "key, subject": put("ce_subject", b"H11.13-260105-0001"),
    }


KEYS = {"key, none": None, "key, another": b"H11.13-260105-0001", "key, not UTF-8": b"\xff"}

POSTED: dict[str, Any] = {
    "unknown_field": {"dossier_code": CODE, "step": "RECEIVED", "occurred_at": "2026-01-05T08:00:00+07:00", "stpe": 1},
    "type": {"dossier_code": CODE, "step": "RECEIVED", "occurred_at": "2026-01-05T08:00:00+07:00", "rating": "năm"},
    "type, personal": {
        "dossier_code": CODE,
        "step": "RECEIVED",
        "occurred_at": 1_767_574_800_000,
        "applicant": {"name": 1},
    },
    "missing_field": {"dossier_code": CODE, "step": "RECEIVED"},
    "date": {"dossier_code": CODE, "step": "RECEIVED", "occurred_at": "2026-02-30T08:00:00+07:00"},
    "status": {"dossier_code": CODE, "step": "Tiếp nhận", "occurred_at": "2026-01-05T08:00:00+07:00"},
}
"""Bodies of `vn.hub.dossier.step` in JSON."""

MAPPING = """
source = "urn:vn:gov:H11.12:motcua"
agencies = ["H11.12"]
required = ["procedure_code"]
[file]
delimiter = ";"
[dates]
forms = ["%d/%m/%Y %H:%M"]
[columns]
"Mã" = "dossier_code"
"Chủ" = "applicant.name"
"Bước" = "step"
"Lúc" = "occurred_at"
"TTHC" = "procedure_code"
"Điểm" = "rating"
[words.step]
"Tiếp nhận" = "RECEIVED"
"""
HEAD = "Mã;Chủ;Bước;Lúc;TTHC;Điểm\n"
_CODE = "000.00.12.H11-260105-0001"
ROWS = {
    "row, too many cells": f"{_CODE};Lê C;Tiếp nhận;05/01/2026 08:00;1.004194;;thừa\n",
    "row, open quote": f'{_CODE};"Lê C;Tiếp nhận;05/01/2026 08:00;1.004194;\n',
    "missing_field": f"{_CODE};Lê C;Tiếp nhận;05/01/2026 08:00;;\n",
    "date": f"{_CODE};Lê C;Tiếp nhận;31/02/2026 08:00;1.004194;\n",
    "status": f"{_CODE};Lê C;Xong;05/01/2026 08:00;1.004194;\n",
    "code": "12345;Lê C;Tiếp nhận;05/01/2026 08:00;1.004194;\n",
    "right": "000.00.13.H11-260105-0001;Lê C;Tiếp nhận;05/01/2026 08:00;1.004194;\n",
    "avro": f"{_CODE};Lê C;Tiếp nhận;05/01/2026 08:00;1.004194;năm\n",
    "limit": f"{_CODE};Lê C;Tiếp nhận;05/01/2026 08:00;1.004194;99999999999\n",
}
FILES = {
    "encoding, UTF-16": (HEAD + ROWS["avro"]).encode("utf-16"),
    "missing_field, column": HEAD.replace("Bước", "Buoc").encode(),
}
