"""Generated input: steps of many dossiers in the order in which a province would send them, as the gateway writes them.

Activity is Zipf-shaped (Zipf-Mandelbrot, so that no single dossier carries a province): few dossiers have hundreds of
steps, half have a handful. Each step is at least 400 bytes of Avro; one in a hundred records is a copy sent twice.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any

from hub.avro.codec import Codec
from hub.control.records import Organisation
from hub.events import families
from hub.ingress import cloudevents
from hub.ingress.record import Builder

DOSSIERS = 20_000
MIN_AVRO_BYTES = 400
COPIES = 0.01
_FLATTEN = 50  # added to each rank: the busiest dossier has about a third of a percent of all steps
_T0 = 1_767_571_200_000  # 2026-01-05T00:00:00Z
_OPENING = ("SUBMITTED", "RECEIVED", "IN_PROCESS")
_WORK = (*["IN_PROCESS"] * 6, "TRANSFERRED", "IN_PROCESS", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN")
_NAMESPACE = uuid.UUID("7a0c0c0e-55d1-4c0b-9d5e-0f5f7e0b8a11")
_AGENCIES = 30
RECORDED = "2026-11-24T00:00:00.000Z"
"""When the gateway took it."""
# (number of the dossier, place of the step) -> DossierStep
Make = Callable[[int, int], dict[str, Any]]
# (key, value, headers)
Wire = tuple[bytes, bytes, list[tuple[str, bytes]]]


def agency_of(number: int) -> str:
    return f"H11.{number % _AGENCIES + 1:02d}"


def code_of(number: int) -> str:
    return f"{agency_of(number)}-260105-{number:07d}"


def organisation(number: int) -> Organisation:
    """Who sends this dossier's steps: its agency's one-stop shop."""
    agency = agency_of(number)
    return Organisation(
        name=f"onestop-{agency.lower().replace('.', '-')}", sources=(_source(agency),), agencies=(agency,)
    )


def _source(agency: str) -> str:
    return f"urn:vn:gov:{agency}:onestop"


def steps(
    count: int, seed: int = 1, dossiers: int = DOSSIERS, made_by: Make | None = None
) -> Iterator[tuple[int, dict[str, Any], str]]:
    """(number of the dossier, DossierStep, event id) of `count` records, lawful and in order per dossier. made_by:
    `step` unless said; `changing` is the other one."""
    make = made_by or step
    rng = random.Random(seed)
    weights = list(accumulate(1 / (rank + _FLATTEN) for rank in range(1, dossiers + 1)))
    done = [0] * dossiers
    last: list[tuple[dict[str, Any], str] | None] = [None] * dossiers
    for number in rng.choices(range(dossiers), cum_weights=weights, k=count):
        again = last[number]
        if again is not None and rng.random() < COPIES:
            yield number, *again
            continue
        place = done[number]
        done[number] += 1
        made = (make(number, place), str(uuid.uuid5(_NAMESPACE, f"{seed}/{number}/{place}")))
        last[number] = made
        yield number, *made


def step(number: int, place: int) -> dict[str, Any]:
    """The step at this place of the dossier's life: filed, received, then work without end."""
    kind = _OPENING[place] if place < len(_OPENING) else _WORK[(place + number) % len(_WORK)]
    at = _T0 + place * 900_000 + number % 900_000
    datum: dict[str, Any] = {
        "dossier_code": code_of(number),
        "step": kind,
        "occurred_at": at,
        "correction": False,
        "handler": {
            "name": f"Nguyễn Thị Minh {number % 977}",
            "title": "Chuyên viên",
            "department": "Phòng Đăng ký đất đai và Đo đạc bản đồ",
        },
        "note": f"Bước {place}: thẩm định hồ sơ, kiểm tra thực địa và lấy ý kiến của cơ quan phối hợp",
        "transferred_to": agency_of(number + place) if kind == "TRANSFERRED" else None,
        "rating": None,
        "procedure_code": f"1.{4000 + number % 180:06d}",
        "procedure_name": "Đăng ký và cấp Giấy chứng nhận quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất",
        "agency_code": agency_of(number),
        "agency_name": "Sở Nông nghiệp và Môi trường",
        "channel": "ONLINE" if number % 3 else "DIRECT",
        "attachments": [],
        "fees": [],
        "step_started_at": at - 600_000,
        "step_due_at": at + 7_200_000,
    }
    return datum | _filing(number, at) if place == 0 else datum


def changing(number: int, place: int) -> dict[str, Any]:
    """`step`, of a source that tells other facts with every step: text, the applicant's, a paper more, now and then
    another due date."""
    datum = step(number, place)
    if place == 0:
        return datum
    datum |= {
        "abstract": f"Cấp đổi giấy chứng nhận, sửa đổi lần {place} theo yêu cầu của người nộp",
        "remark": f"Đã bổ sung giấy tờ lần {place}",
        "receipt_number": f"{number:07d}/{place}",
        "applicant": {**_applicant(number), "phone": f"08{number * 100 + place % 100:09d}"},
        "attachments": _papers(number, 2 + place % 4, 1),
    }
    return datum | {"due_at": datum["occurred_at"] + 20 * 86_400_000} if place % 4 == 3 else datum


def _filing(number: int, at: int) -> dict[str, Any]:
    """What only the first step tells."""
    return {
        "field_code": "G15-TN02",
        "field_name": "Đất đai",
        "receiving_agency_code": agency_of(number),
        "applicant": _applicant(number),
        "abstract": "Cấp đổi giấy chứng nhận do thay đổi thửa đất sau khi hợp thửa",
        "submitted_at": at,
        "received_at": at + 900_000,  # told, so that no contender has to derive it
        "due_at": at + 20 * 86_400_000,
        "attachments": _papers(number, 0, 2),
        "fees": [
            {
                "code": "LP01",
                "name": "Lệ phí địa chính",
                "amount_vnd": 100_000,
                "paid": False,
                "kind": None,
                "collection": None,
            }
        ],
        "return_by_post": False,
        "online_payment": 1,
    }


def _applicant(number: int) -> dict[str, Any]:
    return {
        "name": f"Trần Văn Hùng {number}",
        "kind": "CITIZEN",
        "identity_number": f"0600{number:08d}",
        "national_account": None,
        "address": "Số 12 đường Trần Hưng Đạo, phường Phan Thiết, tỉnh Lâm Đồng",
        "email": f"hung{number}@example.vn",
        "phone": f"09{number:08d}",
        "fax": None,
        "other": None,
        "vneid_verified": True,
    }


def _papers(number: int, first: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{number}-{n}",
            "name": f"Đơn đề nghị {n}.pdf",
            "component_code": None,
            "url": f"https://files.example.vn/{number}/{n}",
            "result": False,
            "digitised": True,
        }
        for n in range(first, first + count)
    ]


def openings(codec: Codec, numbers: Iterable[int]) -> Iterator[Wire]:
    """The first step of each of these dossiers."""
    for number in numbers:
        yield wire(codec, number, step(number, 0), str(uuid.uuid5(_NAMESPACE, f"opening/{number}")))


def records(
    codec: Codec, count: int, seed: int = 1, dossiers: int = DOSSIERS, made_by: Make | None = None
) -> Iterator[Wire]:
    """The same as records on the wire: key, Avro in Confluent wire format, CloudEvents headers."""
    for number, datum, event_id in steps(count, seed, dossiers, made_by):
        yield wire(codec, number, datum, event_id)


def wire(codec: Codec, number: int, datum: dict[str, Any], event_id: str) -> Wire:
    """The record that the gateway makes of the event: by the gateway's own hand, so with all its headers."""
    posted = cloudevents.structured(event(number, datum, event_id))
    key, value, headers = _door(codec, number % _AGENCIES).of_json(posted, "").line
    return key, value, list(headers)


def event(number: int, datum: dict[str, Any], event_id: str) -> dict[str, Any]:
    """As it is posted. The trace is the sender's, since the gateway's own would be another in each run."""
    trace = hashlib.sha256(event_id.encode()).hexdigest()
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": _source(agency_of(number)),
        "type": families.DOSSIER.published,
        "time": "2026-01-05T00:00:00.000Z",
        "traceparent": f"00-{trace[:32]}-{trace[32:48]}-01",
        "data": datum,
    }


@lru_cache(maxsize=_AGENCIES)
def _door(codec: Codec, agency: int) -> Builder:
    return Builder(codec, organisation(agency), RECORDED)
