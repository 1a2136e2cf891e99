"""`hub trace`: every hop of one dossier from Kafka, in time order, and nothing of another dossier."""

from __future__ import annotations

import json
import uuid

import pytest

from hub.admin import trace as hops
from hub.config import Settings
from hub.control.requests import Pointer, Request
from hub.deadletter import record as dead_letter
from hub.errors import BadRecord
from hub.events import families
from hub.events.envelope import Envelope, derived_id
from hub.kafka import clients, topics
from hub.kafka.topic_admin import ensure_topics
from tests.support.codecs import fixed_codec
from tests.support.events import delivery, dossier_event

pytestmark = pytest.mark.broker

CODEC = fixed_codec()
APPLICANT = "Nguyễn Thị Riêng Tư"


def way(code: str) -> list[tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]]:
    """What the hub writes about a dossier whose second step is refused; one attempt fails first."""
    key = code.encode()
    step = {"dossier_code": code, "step": "RECEIVED", "occurred_at": 1_700_000_000_000, "note": APPLICANT}
    envelope = Envelope(id=f"in-{code}", source="urn:vn:gov:H11.12:test", type=families.DOSSIER.published, subject=code)
    ckey, cvalue, cheaders = dossier_event(CODEC, code, 1, "RECEIVED")
    request = Request(
        id="r1",
        action="resend",
        subscriber="national",
        key=code,
        pointers=(Pointer(offset=0, hub_seq=1, event_id="x"),),
    )
    attempt = {"http_status": 503, "error_kind": "http_5xx", "latency_ms": 12}
    return [
        (topics.INGRESS, key, CODEC.encode("vn.hub.DossierStep", step), envelope.headers()),
        (topics.EVENTS, ckey, cvalue, cheaders),
        (topics.DELIVERIES, key, delivery(CODEC, code, "national", [1], "RETRY_SCHEDULED", **attempt), []),
        (topics.REQUESTS, key, request.model_dump_json().encode(), []),
        (topics.DELIVERIES, key, delivery(CODEC, code, "national", [1], attempt=2, http_status=200), []),
        dead_letter.build(
            stage="validate", error=BadRecord("illegal_transition", "RETURNED -> RECEIVED", "step"),
            topic=topics.INGRESS, partition=0, offset=7, key=key, value=b"\x00bad", headers=envelope.headers(),
        ),
        (topics.EVENTS, key, b"\x00\x00", []),
    ]  # fmt: skip


@pytest.fixture
async def written(hub_settings: Settings, monkeypatch) -> tuple[Settings, str]:
    """Settings, and a code whose way was written among those of other dossiers."""

    async def codec(_settings: Settings):
        return CODEC

    monkeypatch.setattr(hops, "open_codec", codec)
    await ensure_topics(hub_settings)
    code = f"000.00.06.H56-231027-{uuid.uuid4().hex[:6]}"
    producer = clients.producer(hub_settings)
    await producer.start()
    try:
        for number, mine in enumerate(way(code)):
            await clients.send_all(producer, way(f"{code}-other-{number}"))
            await clients.send_all(producer, [mine])
    finally:
        await producer.stop()
    return hub_settings, code


async def test_every_hop_in_time_order_and_no_personal_data(written):
    settings, code = written
    found = await hops.trace(settings, code)
    assert [(hop.topic, hop.what) for hop in found] == [
        ("hub.ingress", "accepted RECEIVED"),
        ("hub.events", "canonical RECEIVED"),
        ("hub.deliveries", "national: RETRY_SCHEDULED"),
        ("hub.requests", "national: resend"),
        ("hub.deliveries", "national: DELIVERED"),
        ("hub.dead-letters", "dead letter at validate: illegal_transition"),
        ("hub.events", "unreadable"),
    ]
    assert [hop.at_ms for hop in found] == sorted(hop.at_ms for hop in found)
    assert found[0].event_ids == (f"in-{code}",)
    assert found[1].event_ids[0] == derived_id("test", code, "1")
    assert found[2].detail == "attempt 1, 12 ms, HTTP 503, http_5xx, hub_seq 1"
    assert found[5].detail == "RETURNED -> RECEIVED"
    assert APPLICANT not in json.dumps([str(hop) for hop in found], ensure_ascii=False)


async def test_only_the_keys_partition_is_read_and_progress_ends_full(written):
    settings, code = written
    seen: list[tuple[int, int]] = []
    found = await hops.trace(settings, code, progress=lambda done, total: seen.append((done, total)))
    partitions = settings.kafka.partitions
    assert found
    for hop in found:
        count = 3 if hop.topic == topics.DEAD_LETTERS else partitions
        assert hop.partition == clients.partition_of(code.encode(), count)
    assert seen[-1][0] == seen[-1][1] > len(found)


async def test_an_unknown_code_and_a_later_start_give_nothing(written):
    settings, code = written
    assert await hops.trace(settings, "000.00.06.H56-000000-0000") == []
    last = (await hops.trace(settings, code))[-1]
    assert await hops.trace(settings, code, since_ms=last.at_ms + 60_000) == []
