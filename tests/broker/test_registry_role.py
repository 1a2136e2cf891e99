"""The registry role on a real broker: state from the topic, one writer, changes durable before they are answered."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import pytest

from hub.broker.broker import EmbeddedBroker
from hub.config import Settings
from hub.errors import ConfigError, HubError, StartError
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.registry.schema_log import NOOP_KEY, PARTITION, subject_key
from hub.registry.server.errors import ApiError
from hub.registry.server.store import Store
from tests.conftest import settings_for
from tests.support.registry_fixture import running

pytestmark = pytest.mark.broker


def _subject() -> str:
    return f"t-{uuid.uuid4().hex[:10]}"


async def _records(settings: Settings, subject: str) -> list[tuple[bytes, bytes | None]]:
    """The subject's records as they stand on the topic."""
    consumer = clients.consumer(settings)
    await consumer.start()
    try:
        consumer.assign([PARTITION])
        await consumer.seek_to_beginning(PARTITION)
        end = (await consumer.end_offsets([PARTITION]))[PARTITION]
        found: list[tuple[bytes, bytes | None]] = []
        while await consumer.position(PARTITION) < end:
            for records in (await consumer.getmany(PARTITION, timeout_ms=200)).values():
                found += [(r.key, r.value) for r in records if subject.encode() in r.key]
        return found
    finally:
        await consumer.stop()


async def test_what_was_answered_is_there_after_a_restart(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    subject = _subject()
    async with running(hub_settings) as client:
        enum = json.dumps({"type": "enum", "name": "E", "symbols": [subject.replace("-", "")]})
        first = (await client.post(f"/subjects/{subject}/versions", json={"schema": enum})).json()["id"]
        await client.put(f"/config/{subject}", json={"compatibility": "FULL"})
        await client.put(f"/mode/{subject}", json={"mode": "READONLY"})
        shown = (await client.get(f"/subjects/{subject}/versions/1")).json()

    assert [key for key, _ in await _records(hub_settings, subject)] == [
        b'{"keytype":"SCHEMA","subject":"%b","version":1,"magic":1}' % subject.encode(),
        b'{"keytype":"CONFIG","subject":"%b","magic":0}' % subject.encode(),
        b'{"keytype":"MODE","subject":"%b","magic":0}' % subject.encode(),
    ]
    async with running(hub_settings) as client:
        assert (await client.get(f"/subjects/{subject}/versions/1")).json() == shown
        assert (await client.get(f"/config/{subject}")).json() == {"compatibilityLevel": "FULL"}
        refused = await client.post(f"/subjects/{subject}/versions", json={"schema": '"int"'})
        assert refused.json()["error_code"] == 42205
        other = {"type": "enum", "name": "E", "symbols": ["X" + subject.replace("-", "")]}
        answer = await client.post(f"/subjects/{_subject()}/versions", json={"schema": json.dumps(other)})
        assert answer.json()["id"] > first


async def test_registrations_at_the_same_moment_get_ids_of_their_own(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    subject = _subject()
    async with running(hub_settings) as client:

        async def register(i: int) -> int:
            schema = {"type": "fixed", "name": f"F{subject.replace('-', '')}{i}", "size": 1}
            answer = await client.post(f"/subjects/{subject}-{i}/versions", json={"schema": json.dumps(schema)})
            return int(answer.json()["id"])

        ids = await asyncio.gather(*(register(i) for i in range(20)))
    assert len(set(ids)) == 20


async def test_reads_a_topic_that_confluent_s_registry_wrote(hub_settings: Settings) -> None:
    """Records as its documentation shows them, older and newer forms mixed, with one that is damaged."""
    await ensure_topics(hub_settings)
    subject, level = _subject(), _subject()
    s, lv = subject.encode(), level.encode()
    records = [
        (b'{"magic":1,"keytype":"SCHEMA","subject":"%b","version":1}' % s,
         b'{"subject":"%b","version":1,"id":900001,"schema":"\\"int\\""}' % s),
        (b'{"keytype":"SCHEMA","subject":"%b","version":2,"magic":1}' % s,
         b'{"subject":"%b","version":2,"id":900002,"md5":"HSDLueXjXpdU59oXC25d2w==","references":[],'
         b'"schema":"\\"long\\"","deleted":false,"offset":7,"ts":1690000000000}' % s),
        (b'{"keytype":"SCHEMA","subject":"%b","version":3,"magic":1}' % s, b'{"subject":"%b","versi' % s),
        (b'{"keytype":"CONFIG","subject":"%b","magic":0}' % lv, b'{"compatibilityLevel":"FORWARD"}'),
        (b'{"keytype":"CONTEXT","tenant":"default","context":".","magic":0}', b'{"tenant":"default","context":"."}'),
        (b'{"keytype":"NOOP","magic":0}', None),
    ]  # fmt: skip
    producer = clients.producer(hub_settings)
    await producer.start()
    try:
        await clients.send_all(producer, [("_schemas", key, value, []) for key, value in records])
    finally:
        await producer.stop()

    async with running(hub_settings) as client:
        assert (await client.get(f"/subjects/{subject}/versions")).json() == [1, 2]
        assert (await client.get("/schemas/ids/900002")).json() == {"schema": '"long"'}
        assert (await client.get(f"/config/{level}")).json() == {"compatibilityLevel": "FORWARD"}
        # Ids go on behind the highest; this subject is removed again so that the session's ids stay small elsewhere.
        await client.delete(f"/subjects/{subject}")
        assert (await client.delete(f"/subjects/{subject}?permanent=true")).json() == [1, 2]


async def test_a_second_writer_is_noticed(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    first, second = Store(hub_settings), Store(hub_settings)
    try:
        await first.start()
        await second.start()
        await first._until((await first._tail.ends([PARTITION]))[PARTITION])
        first._tail.rest()
        await second.write("Test", [(subject_key("CONFIG", _subject()), None)])
        writing = asyncio.create_task(first.write("Test", [(NOOP_KEY, None)]))
        await asyncio.sleep(0)
        first._tail._started.resume(PARTITION)
        with pytest.raises(HubError, match="another registry writes"):
            await asyncio.wait_for(asyncio.shield(first.failed), 60)
        writing.cancel()
        assert not second.failed.done()
    finally:
        await first.close()
        await second.close()


async def test_refuses_to_start_beside_a_registry_by_url(hub_settings: Settings) -> None:
    external = hub_settings.model_copy(
        update={"registry": hub_settings.registry.model_copy(update={"url": "http://registry.example"})}
    )
    with pytest.raises(ConfigError, match=r"registry\.url"):
        async with running(external):
            pass


async def test_a_taken_port_is_a_plain_error(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    async with running(hub_settings):
        with pytest.raises(StartError, match="cannot listen on"):
            async with running(hub_settings):
                pass


@pytest.mark.slow
async def test_goes_on_after_the_broker_was_restarted(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "kafka", heap_mb=256) as broker:
        settings = settings_for(broker.bootstrap, tmp_path / "hub")
        await ensure_topics(settings)
        async with running(settings) as client:
            assert (await client.post("/subjects/a/versions", json={"schema": '"int"'})).json() == {"id": 1}
            await asyncio.to_thread(broker.stop)
            away = await client.post("/subjects/a/versions", json={"schema": '"long"'}, timeout=30)
            assert away.status_code == 500
            assert away.json()["error_code"] in (50001, 50002)
            assert (await client.get("/subjects/a/versions")).json() == [1]
            broker.port, broker._any_port = int(settings.bootstrap.rpartition(":")[2]), False
            await asyncio.to_thread(broker.start)
            async with asyncio.timeout(60):
                while True:
                    again = await client.post("/subjects/a/versions", json={"schema": '"long"'}, timeout=30)
                    if again.status_code == 200:
                        break
            assert again.json() == {"id": 2}
            assert (await client.get("/subjects/a/versions")).json() == [1, 2]


async def test_a_write_that_the_broker_refuses_is_50001(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    store = Store(hub_settings)
    try:
        await store.start()
        with pytest.raises(ApiError) as caught:
            await store.write("Register schema", [(NOOP_KEY, b"x" * 1_200_000)])
        assert caught.value.code == 50001
        await store.write("Test", [(NOOP_KEY, None)])
    finally:
        await store.close()
