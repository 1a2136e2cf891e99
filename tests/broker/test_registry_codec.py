"""How a role gets its codec: registry there, registry away (topic), broker away (cache); unknown ids stay bounded."""

from __future__ import annotations

import json
import uuid

import pytest
from pydantic import SecretStr

from hub.avro import codec as wire
from hub.config import Settings
from hub.errors import DecodeError, RegistryError
from hub.kafka.topic_admin import ensure_topics
from hub.registry.client import OWN_RECORDS, cache_file, open_codec, register_own
from hub.registry.schema_log import read
from tests.support.registry_fixture import running

pytestmark = pytest.mark.broker

STEP = {"dossier_code": "000.00.06.H56-231027-0361", "step": "RECEIVED", "occurred_at": 1_698_364_800_000}


def _away(settings: Settings, **kafka: object) -> Settings:
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update=kafka)})


async def test_registers_once_and_again_with_the_same_ids(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    async with running(hub_settings) as client:
        first = await register_own(hub_settings)
        assert await register_own(hub_settings) == first
        level = (await client.get("/config/vn.hub.DossierStep")).json()
    assert set(first) == set(OWN_RECORDS)
    assert len(set(first.values())) == len(OWN_RECORDS)
    assert level == {"compatibilityLevel": "BACKWARD_TRANSITIVE"}


async def test_registry_away_the_topic_is_enough(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    async with running(hub_settings):
        ids = (await open_codec(hub_settings)).ids
    cache_file(hub_settings).unlink()

    codec = await open_codec(hub_settings)

    assert codec.ids == ids
    name, datum = codec.decode(codec.encode("vn.hub.DossierStep", STEP))
    assert (name, datum["dossier_code"]) == ("vn.hub.DossierStep", STEP["dossier_code"])


async def test_registry_and_broker_away_the_cache_is_enough(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    async with running(hub_settings):
        ids = (await open_codec(hub_settings)).ids
    content = json.loads(cache_file(hub_settings).read_text("utf-8"))
    nowhere = _away(hub_settings, bootstrap_servers="127.0.0.1:1")
    cache_file(hub_settings).write_text(json.dumps(content | {"registry": "embedded on 127.0.0.1:1"}), "utf-8")

    assert (await open_codec(nowhere)).ids == ids


async def test_a_cache_of_another_registry_is_not_used(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await ensure_topics(hub_settings)
    async with running(hub_settings):
        await open_codec(hub_settings)
    monkeypatch.setattr("hub.registry.client.WAIT_S", 0.3)
    with pytest.raises(RegistryError, match="is away"):
        await open_codec(_away(hub_settings, bootstrap_servers="127.0.0.1:1"))


async def test_a_schema_registered_later_is_found_without_the_registry(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    record = {"type": "record", "name": f"R{uuid.uuid4().hex[:8]}", "fields": [{"name": "a", "type": "string"}]}
    async with running(hub_settings) as client:
        codec = await open_codec(hub_settings)
        answer = await client.post(f"/subjects/{record['name']}/versions", json={"schema": json.dumps(record)})
        schema_id = answer.json()["id"]

    assert codec.decode(wire.head(schema_id) + b"\x02x") == (record["name"], {"a": "x"})


async def test_an_unknown_id_is_a_bad_record_and_costs_one_look(
    hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ensure_topics(hub_settings)
    async with running(hub_settings):
        codec = await open_codec(hub_settings)
    looks = 0

    async def counted(*args: object) -> bool:
        nonlocal looks
        looks += 1
        return await read(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("hub.registry.schema_lookup.read", counted)
    for _ in range(500):
        with pytest.raises(DecodeError) as caught:
            codec.decode(wire.head(999_999) + b"\x00")
        assert caught.value.reason == "schema_id"
    assert looks == 1


async def test_an_unknown_id_without_broker_may_exist(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.registry.schema_lookup.LOOK_S", 1.0)
    await ensure_topics(hub_settings)
    async with running(hub_settings):
        codec = await open_codec(hub_settings)
    codec._lookup._settings = _away(hub_settings, bootstrap_servers="127.0.0.1:1")  # type: ignore[attr-defined]
    with pytest.raises(RegistryError):
        codec.decode(wire.head(999_998) + b"\x00")


async def test_references_are_written_in(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    tail = uuid.uuid4().hex[:8]
    inner = {"type": "record", "name": "Inner", "namespace": f"n{tail}", "fields": [{"name": "x", "type": "int"}]}
    outer = {
        "type": "record", "name": "Outer", "namespace": f"n{tail}",
        "fields": [{"name": "one", "type": "Inner"}, {"name": "two", "type": f"n{tail}.Inner"}],
    }  # fmt: skip
    async with running(hub_settings) as client:
        codec = await open_codec(hub_settings)
        await client.post(f"/subjects/inner-{tail}/versions", json={"schema": json.dumps(inner)})
        reference = {"name": f"n{tail}.Inner", "subject": f"inner-{tail}", "version": 1}
        body = {"schema": json.dumps(outer), "references": [reference]}
        schema_id = (await client.post(f"/subjects/outer-{tail}/versions", json=body)).json()["id"]

    assert codec.decode(wire.head(schema_id) + b"\x02\x04") == (f"n{tail}.Outer", {"one": {"x": 1}, "two": {"x": 2}})


async def test_a_registry_by_url(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded one stands for it. Its `_schemas` is not read: the broker of this hub is said to be elsewhere."""
    monkeypatch.setattr("hub.registry.client.WAIT_S", 0.5)
    await ensure_topics(hub_settings)
    login = {"username": "hub", "password": SecretStr("geheim")}
    hub_settings = hub_settings.model_copy(update={"registry": hub_settings.registry.model_copy(update=login)})
    by_url = _away(hub_settings, bootstrap_servers="127.0.0.1:1").model_copy(
        update={"registry": hub_settings.registry.model_copy(update={"url": hub_settings.registry_url})}
    )
    record = {"type": "record", "name": f"R{uuid.uuid4().hex[:8]}", "fields": [{"name": "a", "type": "string"}]}
    async with running(hub_settings) as client:
        first = await open_codec(by_url)
        answer = await client.post(f"/subjects/{record['name']}/versions", json={"schema": json.dumps(record)})
        schema_id = answer.json()["id"]

    with pytest.raises(RegistryError):  # it may exist: nobody can tell
        first.decode(wire.head(schema_id) + b"\x02x")
    again = await open_codec(by_url)
    assert again.ids == first.ids, "from the cache"
    assert again.decode(again.encode("vn.hub.DossierStep", STEP))[1]["step"] == "RECEIVED"

    other = by_url.model_copy(update={"registry": by_url.registry.model_copy(update={"url": "http://127.0.0.1:9"})})
    with pytest.raises(RegistryError, match="is away"):
        await open_codec(other)
