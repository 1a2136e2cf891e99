"""Procedures and online services: each kind of change, late ones, lists told empty and not told."""

from __future__ import annotations

from typing import Any

from tests.frozen.inputs import procedure, service, singles

FULL = procedure(
    "PUBLISHED", "2026-01-05 08:00", name="Cấp giấy phép xây dựng", agency_code="000.00.00.H11",
    authority_level="Cấp tỉnh", field_code="G09", field_name="Hoạt động xây dựng", time_limit=20.0,
    time_limit_unit="Ngày làm việc", fee_vnd=75_000, decision="12/QĐ-UBND", effective_at="2026-01-10 00:00",
    time_limits=[{"channel": "1", "time_limit": 20.0, "time_limit_unit": "Ngày làm việc", "note": "Trực tiếp"},
                 {"channel": "2", "time_limit": 15.0, "time_limit_unit": "Ngày làm việc"}],
    fees=[{"code": "LP01", "channel": "2", "amount_vnd": 50_000, "unit": "Đồng", "note": "Trực tuyến"}],
    components=[{"code": "TP01", "name": "Đơn đề nghị", "case": "Xây mới", "originals": 1, "copies": 2,
                 "replaced_by": "KQ09"}],
    forms=[{"name": "Mẫu 01", "component_code": "TP01", "url": "https://h11.vn/mau01", "version": "2025"}],
    results=[{"code": "KQ01", "name": "Giấy phép xây dựng"}],
    legal_bases=[{"number": "175/2024/NĐ-CP", "title": "Quản lý hoạt động xây dựng", "issuer": "Chính phủ",
                  "issued_on": "2024-12-30 00:00", "effective_on": "2024-12-30 00:00"}],
    linked_procedures=["1.000001"], related_procedures=["1.000002", "1.000003"],
)  # fmt: skip

CASES: dict[str, dict[str, Any]] = {
    "procedure": {
        "about": "published in full, amended, a late amendment, lists told empty, withdrawn, published again, a copy",
        "chunks": singles(
            FULL,
            procedure("AMENDED", "2026-02-02 08:00", fee_vnd=100_000, name="Cấp giấy phép xây dựng (sửa đổi)"),
            procedure("AMENDED", "2026-01-20 08:00", fee_vnd=90_000, decision="90/QĐ-UBND", agency_code="h11.12"),
            procedure("AMENDED", "2026-02-03 08:00", fees=[], linked_procedures=[], field_name="  "),
            procedure("WITHDRAWN", "2026-03-02 08:00"),
            procedure("AMENDED", "2026-03-03 08:00", authority_level="Cấp xã"),
            procedure("PUBLISHED", "2026-04-01 08:00", time_limit=10.0, time_limit_unit="Ngày"),
            FULL | {"_id": "e0"},
        ),
    },
    "procedure_reversed": {
        "about": "amended before it was published; the withdrawal comes first",
        "chunks": [
            [procedure("WITHDRAWN", "2026-03-02 08:00"), procedure("AMENDED", "2026-02-02 08:00", fee_vnd=100_000),
             procedure("PUBLISHED", "2026-01-05 08:00", fee_vnd=75_000, name="Tên")],
            [procedure("AMENDED", "2026-02-02 08:00", "1.000001", name="Chỉ sửa đổi")],
        ],
    },
    "service": {
        "about": "published, amended, late, withdrawn; channels told and not told; two of the same moment",
        "chunks": singles(
            service("PUBLISHED", "2026-01-05 08:00", name="Nộp hồ sơ trực tuyến", agency_code="000.00.12.H11", level=4,
                    procedure_code="1.004194", channels=["dvcqg", "dvc.h11"], url="https://dichvucong.gov.vn/x"),
            service("AMENDED", "2026-02-02 08:00", whole_process=True),
            service("AMENDED", "2026-01-20 08:00", whole_process=False, level=3, channels=["dvcqg"]),
            service("WITHDRAWN", "2026-03-02 08:00"),
            service("PUBLISHED", "2026-03-02 08:00", name="Cùng lúc"),
            service("AMENDED", "2026-03-03 08:00", "1.004194.000.00.00.H11.02", level=2),
        ),
    },
}  # fmt: skip
