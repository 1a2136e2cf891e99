"""How dossiers' steps arrive: copies, chunks, doors; and what else they meet: other agencies, the catalogue."""

from __future__ import annotations

from typing import Any

from tests.frozen.inputs import CODE, procedure, service, singles, step
from tests.frozen.inputs.dossiers import OTHER

PART = "H11.05-260106-0007"

CASES: dict[str, dict[str, Any]] = {
    "copies": {
        "about": "the same event again in the chunk and later; its id from another source; its id with other content",
        "chunks": [
            [step("RECEIVED", "2026-01-05 08:00", _id="a"), step("RECEIVED", "2026-01-05 08:00", _id="a")],
            [step("RECEIVED", "2026-01-05 08:00", _id="a")],
            [step("RECEIVED", "2026-01-05 08:00", _id="a", _source="urn:vn:gov:H11.05:onestop")],
            [step("RECEIVED", "2026-01-05 08:00", _id="a", remark="khác")],
            [step("RECEIVED", "2026-01-05 08:00", _id="a", _door="replay")],
        ],
    },
    "ring": {
        "about": "beyond the last 64 events a copy is numbered anew, under the same id",
        "brief": True,
        "chunks": [
            [step("IN_PROCESS", f"2026-01-{5 + n // 24:02} {n % 24:02}:00", _id=f"n{n}") for n in range(66)],
            [step("IN_PROCESS", "2026-01-05 02:00", _id="n2"), step("IN_PROCESS", "2026-01-05 01:00", _id="n1")],
        ],
    },
    "chunks": {
        "about": "three families and two dossiers mixed, cut anywhere, a restart in between",
        "chunks": [
            [step("SUBMITTED", "2026-01-05 08:00"), procedure("PUBLISHED", "2026-01-02 08:00", name="Cấp giấy phép"),
             step("RECEIVED", "2026-01-05 09:00", OTHER)],
            [step("RECEIVED", "2026-01-05 10:00", due_at="2026-01-20 17:00"),
             service("PUBLISHED", "2026-01-02 08:00", level=4), step("IN_PROCESS", "2026-01-06 09:00", OTHER)],
            "restart",
            [step("IN_PROCESS", "2026-01-06 10:00"), procedure("AMENDED", "2026-01-03 08:00", fee_vnd=75_000),
             step("UNKNOWN", "2026-01-06 11:00"), step("FINISHED", "2026-01-07 10:00", OTHER, finished_at=None)],
        ],
    },
    "doors": {
        "about": "by the gateway, from a file, from the national portal, and a dead letter that was sent back",
        "chunks": singles(
            step("SUBMITTED", "2026-01-05 08:00", _door="portal", _source="urn:vn:portal:national"),
            step("RECEIVED", "2026-01-05 09:00", _door="file", _time="2026-01-05T02:00:00.000Z"),
            step("IN_PROCESS", "2026-01-06 09:00", _time="2026-01-06T09:00:00+07:00"),
            step("FINISHED", "2026-01-07 09:00", _door="replay"),
        ),
    },
    "joint": {
        "about": "passed on with a limit, worked by the holder who has no other right to it, a part of its own, given "
        "back; then the former holder is refused",
        "chunks": singles(
            step("RECEIVED", "2026-01-05 08:00", due_at="2026-01-20 17:00", receiving_agency_code="H11.12"),
            step("IN_PROCESS", "2026-01-05 14:00", _agencies="H11.05 H11.06"),
            step("TRANSFERRED", "2026-01-06 08:00", transferred_to="000.00.05.H11", transfer_limit=2.0,
                 transfer_limit_unit="Ngày làm việc"),
            step("RECEIVED", "2026-01-06 09:00", PART, parent_code=CODE, agency_code="H11.05"),
            step("IN_PROCESS", "2026-01-06 14:00", _agencies="H11.05 H11.06", _source="urn:vn:gov:H11.05:x"),
            step("TRANSFERRED", "2026-01-07 15:00", transferred_to="H11.12", _agencies="H11.05 H11.06"),
            step("IN_PROCESS", "2026-01-08 08:00", _agencies="H11.05 H11.06"),
            step("TRANSFERRED", "2026-01-06 10:00", transferred_to="H11.07", step_due_at="2026-01-09 17:00"),
        ),
    },
    "transfer_limits": {
        "about": "the holder's date counted from each unit of a transfer's limit, on Monday 12 January 08:00",
        "chunks": [[step("TRANSFERRED", "2026-01-12 08:00", f"H11.12-260105-010{n}", transferred_to="H11.05",
                         transfer_limit=limit, transfer_limit_unit=unit)
                    for n, (limit, unit) in enumerate(((4.0, "Giờ"), (1.5, "Ngày làm việc"), (5.0, "Ngày"),
                                                       (1.0, "Tháng")))]],
    },
    "offered_online": {
        "about": "filed online where the catalogue offers it; in another way where it does not",
        "chunks": [
            [procedure("PUBLISHED", "2026-01-02 08:00"), service("PUBLISHED", "2026-01-02 08:00", whole_process=True)],
            [step("SUBMITTED", "2026-01-05 08:00", channel="ONLINE", procedure_code="1.004194",
                  submitted_at="2026-01-05 08:00")],
            [service("WITHDRAWN", "2026-01-06 08:00")],
            [step("SUBMITTED", "2026-01-07 08:00", OTHER, channel="DIRECT", procedure_code="1.004194"),
             step("IN_PROCESS", "2026-01-07 09:00", procedure_code="1.004194", channel="ONLINE"),
             step("SUBMITTED", "2026-01-07 08:00", "H11.12-260105-0003", channel="ONLINE", procedure_code="1.004194")],
        ],
    },
}  # fmt: skip
