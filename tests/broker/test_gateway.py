"""The gateway over real HTTP and a real broker: every content type, every refusal, and what then stands in Kafka."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from hub.config import Settings
from hub.observe.server import OBSERVED
from tests.support.codecs import IDS, fixed_codec
from tests.support.gateway import BATCH, STRUCTURED, event, ingress_of, organisation, running, step

pytestmark = pytest.mark.broker

MS = 1_795_483_800_000  # 2026-11-24T08:30+07:00


@pytest.fixture
def settings(hub_settings: Settings) -> Settings:
    small = hub_settings.gateway.model_copy(update={"max_body_bytes": 1_100_000, "max_batch": 150})
    return hub_settings.model_copy(update={"gateway": small})


@pytest_asyncio.fixture
async def client(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    org, key = await organisation(settings)
    async with running(settings, monkeypatch) as http:
        http.headers["authorization"] = f"Bearer {key}"
        http.params = {}
        http.org, http.key, http.source = org, key, org.sources[0]  # type: ignore[attr-defined]
        yield http


async def post(client: Any, document: Any, headers: dict[str, str] = STRUCTURED) -> httpx.Response:
    return await client.post("/v1/events", json=document, headers=headers)


async def test_one_event_stands_in_ingress_with_key_envelope_and_avro(client: Any, settings: Settings) -> None:
    sent = event(
        client.source, step(note="Đã tiếp nhận"), time="2026-11-24T08:30:00+07:00", authid="an-impostor", tier="x"
    )

    answer = await post(client, sent)

    assert answer.status_code == 202
    assert answer.json()["results"] == [{"index": 0, "id": sent["id"], "status": "accepted"}]
    [record] = await ingress_of(settings, client.source)
    assert record.key == b"H11.12-261124-0001"
    headers = {name: value.decode() for name, value in record.headers}
    assert headers["ce_id"] == sent["id"]
    assert headers["ce_subject"] == "H11.12-261124-0001"
    assert headers["ce_authid"] == client.org.name
    assert headers["ce_tier"] == "x"
    assert headers["content-type"] == "application/avro"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", headers["ce_recordedtime"])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", headers["ce_traceparent"])
    name, datum = fixed_codec().decode(record.value)
    assert name == "vn.hub.DossierStep"
    assert (datum["occurred_at"], datum["note"], datum["fees"]) == (MS, "Đã tiếp nhận", [])


async def test_the_senders_trace_is_kept(client: Any, settings: Settings) -> None:
    own, request = "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "00-" + "c" * 32 + "-" + "d" * 16 + "-00"
    both = [event(client.source, traceparent=own), event(client.source, traceparent="nonsense")]

    await client.post("/v1/events", json=both, headers=BATCH | {"traceparent": request})

    records = await ingress_of(settings, client.source)
    assert {dict(r.headers)["ce_traceparent"].decode() for r in records} == {own, request}


@pytest.mark.parametrize("content_type", ["application/avro", "application/vnd.confluent.avro; charset=binary"])
async def test_avro_in_binary_mode_is_kept_byte_for_byte(client: Any, settings: Settings, content_type: str) -> None:
    value = fixed_codec().encode("vn.hub.DossierStep", step(occurred_at=MS))
    headers = {
        "content-type": content_type, "ce-specversion": "1.0", "ce-id": "b-%C3%AA", "ce-source": client.source,
        "ce-type": "vn.hub.dossier.step",
    }  # fmt: skip

    answer = await client.post("/v1/events", content=value, headers=headers)

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    [record] = await ingress_of(settings, client.source)
    assert record.value == value
    assert dict(record.headers)["ce_id"].decode() == "b-ê"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda v: v[:-4], "truncated"),
        (lambda v: b"\x01" + v[1:], "magic_byte"),
        (lambda v: b"\x00\x00\x01\x86\x9f" + v[5:], "schema_id"),
        (lambda v: b"\x00\x00\x00\x00" + bytes([IDS["vn.hub.ProcedureChange"]]) + v[5:], "schema_mismatch"),
        (lambda v: v[:6] + b"\xff" + v[7:], "utf8"),
        (lambda v: b"", "truncated"),
    ],
)
async def test_damaged_avro_is_refused_with_its_reason(client: Any, damage: Any, reason: str) -> None:
    value = damage(fixed_codec().encode("vn.hub.DossierStep", step(occurred_at=MS)))
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": client.source, "ce-type": "vn.hub.dossier.step"}

    answer = await client.post("/v1/events", content=value, headers=headers | {"content-type": "application/avro"})

    assert (answer.status_code, answer.json()["reason"]) == (400, reason)


async def test_a_batch_is_answered_one_by_one(client: Any, settings: Settings) -> None:
    good = [event(client.source, step(f"H11.12-261124-{n:04}")) for n in range(100)]
    await post(client, good[7])
    mixed: list[Any] = [
        *good,
        event(client.source, step("H11.99-261124-0001")),
        event(client.source, step(step="TIẾP NHẬN")),
        event(client.source, specversion="0.3"),
        "no event",
        event("urn:someone:else"),
        event(client.source, step("000.00.12.H11-261124-0009")),
    ]

    answer = await post(client, mixed, BATCH)

    body = answer.json()
    assert answer.status_code == 200
    assert (body["accepted"], body["duplicate"], body["rejected"]) == (100, 1, 5)
    assert [r["index"] for r in body["results"]] == list(range(106))
    assert body["results"][7]["status"] == "duplicate"
    refused = [(r["reason"], r["field"]) for r in body["results"][100:105]]
    assert refused == [
        ("right", "data.dossier_code"), ("status", "data.step"), ("envelope", "specversion"), ("envelope", ""),
        ("right", "source"),
    ]  # fmt: skip
    assert body["results"][102]["id"] == mixed[102]["id"]
    records = await ingress_of(settings, client.source)
    ids = {e["id"] for e in [*good, mixed[105]]}
    assert sorted(dict(r.headers)["ce_id"].decode() for r in records) == sorted(ids)


async def test_the_order_of_a_dossier_is_the_order_of_the_batch(client: Any, settings: Settings) -> None:
    batch = [event(client.source, step(f"H11.12-261124-000{n % 3}"), id=str(n)) for n in range(150)]

    await post(client, batch, BATCH)

    by_key: dict[bytes, list[int]] = {}
    for record in await ingress_of(settings, client.source):
        by_key.setdefault(record.key, []).append(int(dict(record.headers)["ce_id"]))
    assert by_key == {f"H11.12-261124-000{r}".encode(): list(range(r, 150, 3)) for r in range(3)}


async def test_duplicate_is_said_only_of_what_was_acknowledged_here(client: Any, settings: Settings) -> None:
    first = event(client.source)
    other_content = first | {"data": step(note="khác")}

    assert (await post(client, first)).json()["accepted"] == 1
    assert (await post(client, first)).json()["duplicate"] == 1
    assert (await post(client, other_content)).json()["accepted"] == 1  # the core decides

    assert len(await ingress_of(settings, client.source)) == 2


@pytest.mark.parametrize(
    "key", [{}, {"authorization": "Bearer hub_wrong"}, {"authorization": "Basic x"}, {"x-api-key": ""}]
)
async def test_without_a_known_key_401(client: Any, key: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=client.base_url) as stranger:
        answer = await stranger.post("/v1/events", json=event(client.source), headers=STRUCTURED | key)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_key_may_come_as_x_api_key(client: Any) -> None:
    async with httpx.AsyncClient(base_url=client.base_url, headers={"x-api-key": client.key}) as other:
        assert (await post(other, event(client.source))).status_code == 202


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "urn:someone:else"}, "source"),
        ({"data": step("H11.99-261124-0001")}, "data.dossier_code"),
        ({"data": step("000.00.99.H11-261124-0001", agency_code="H11.12")}, "data.dossier_code"),
    ],
)
async def test_without_the_right_403_and_nothing_in_kafka(
    client: Any, settings: Settings, change: dict[str, Any], field: str
) -> None:
    answer = await post(client, event(client.source) | change)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.json()["results"][0]["field"] == field
    assert await ingress_of(settings, change.get("source", client.source)) == []


async def test_a_family_without_right_403(settings: Settings, client: Any) -> None:
    org, key = await organisation(settings, families=["dossier"])
    change = {"procedure_code": "1.004194", "change": "PUBLISHED", "occurred_at": MS}
    wanted = event(org.sources[0], change, type="vn.hub.procedure.change")
    async with asyncio.timeout(60):  # the new key comes through hub.control
        while True:
            answer = await post(client, wanted, STRUCTURED | {"authorization": f"Bearer {key}"})
            if answer.status_code != 401:
                break
            await asyncio.sleep(0.1)
    assert (answer.status_code, answer.json()["field"]) == (403, "type")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", "application/cloudevents+xml"])
async def test_another_content_type_415(client: Any, content_type: str) -> None:
    answer = await client.post("/v1/events", content=b"{}", headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1}x', b"\xff", b'["a"', b"[]", b"{}"])
async def test_a_body_that_is_no_batch_400(client: Any, body: bytes) -> None:
    answer = await client.post("/v1/events", content=body, headers=BATCH)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_two_megabytes_413_declared_or_not(client: Any, settings: Settings) -> None:
    body = b'{"note": "' + b"x" * 2_097_152 + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 65_536):
            yield body[at : at + 65_536]

    for content in (body, chunks()):
        answer = await client.post("/v1/events", content=content, headers=STRUCTURED)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert await ingress_of(settings, client.source) == []


async def test_an_event_within_the_body_cap_that_the_topic_would_refuse_413(client: Any) -> None:
    answer = await post(client, event(client.source, step(note="x" * 1_060_000)))
    assert (answer.status_code, answer.json()["reason"]) == (413, "limit")


async def test_an_event_just_under_the_limit_is_taken(client: Any, settings: Settings) -> None:
    answer = await post(client, event(client.source, step(note="x" * 1_046_000)))
    assert answer.status_code == 202
    assert len(await ingress_of(settings, client.source)) == 1


async def test_more_events_than_a_batch_may_have_413(client: Any) -> None:
    answer = await post(client, [event(client.source)] * 151, BATCH)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_health_metrics_and_docs_answer_on_the_observation_address_only(client: Any) -> None:
    await post(client, event(client.source))
    for path in ("/live", "/ready", "/metrics", "/docs", "/openapi.json"):
        assert (await client.get(path)).json()["code"] == "not_found", path
    transport = httpx.ASGITransport(OBSERVED)
    async with httpx.AsyncClient(transport=transport, base_url="http://observed") as observed:
        assert 'hub_events_out_total{role="gateway"}' in (await observed.get("/metrics")).text
        document = (await observed.get("/openapi.json")).json()
        assert (await observed.get("/docs")).status_code == 200
    operation = document["paths"]["/v1/events"]["post"]
    assert "application/cloudevents-batch+json" in operation["requestBody"]["content"]
    assert {"200", "202", "400", "401", "403", "413", "415", "429", "503"} <= operation["responses"].keys()
    assert (await client.get("/nothing")).json()["code"] == "not_found"
