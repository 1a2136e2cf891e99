"""`hub dead-letters` as an operator uses it, on a real broker."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from hub.admin import letter_list
from hub.admin.audit_list import Wanted, entries
from hub.avro.codec import Codec
from hub.config import Settings
from hub.control.requests import Request
from hub.deadletter import browse
from hub.deadletter.filters import Filter
from hub.deadletter.record import build
from hub.errors import BadRecord
from hub.events.envelope import Envelope
from hub.kafka import clients
from hub.kafka.topics import REQUESTS
from hub.registry.client import open_codec
from tests.support.command import hub
from tests.support.gateway import ingress_of, organisation, records_of
from tests.support.registry_fixture import running as registry

pytestmark = pytest.mark.broker


@pytest_asyncio.fixture
async def codec(hub_settings: Settings) -> AsyncIterator[Codec]:
    await organisation(hub_settings)  # makes the topics
    async with registry(hub_settings):
        found = await open_codec(hub_settings)
    yield found


class Letters:
    """Dead letters of one dossier that no other test knows."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self.settings, self.codec = settings, codec
        self.partition = uuid.uuid4().int % 10**9  # a letter's id follows from its place
        self.source = f"urn:{uuid.uuid4().hex}"
        self.code = f"H11.12-261124-{uuid.uuid4().int % 10**12:012}"

    async def put(self, number: int, stage: str = "core", topic: str = "hub.ingress", **more: Any) -> str:
        """One letter; returns its id."""
        facts = {"step": "RECEIVED", "occurred_at": 1_795_483_800_000, "applicant": {"name": "Nguyễn Văn A"}}
        value = self.codec.encode("vn.hub.DossierStep", {"dossier_code": self.code} | facts)
        envelope = Envelope(f"e-{number}", self.source, "vn.hub.dossier.step", self.code, hub_seq=number)
        error = BadRecord("date", "occurred_at: no such day", "occurred_at")
        place: dict[str, Any] = {"topic": topic, "partition": self.partition, "offset": number}
        headers = [*envelope.headers(), *more.pop("headers", [])]
        key, value = self.code.encode(), more.pop("value", value)
        made = build(stage=stage, error=error, key=key, value=value, headers=headers, **place, **more)
        producer = clients.producer(self.settings)
        await producer.start()
        try:
            await clients.send_all(producer, [made])
        finally:
            await producer.stop()
        return dict(made[3])["dl_id"].decode()


async def test_list_show_and_replay(hub_settings: Settings, codec: Codec) -> None:
    letters = Letters(hub_settings, codec)
    ids = [await letters.put(n) for n in range(3)]
    for n in range(3):  # written twice: their stage was killed before its commit
        await letters.put(n)
    held = await letters.put(9, stage="deliver", topic="hub.events", subscriber="national")
    mine = ("--dossier", letters.code)

    code, out, _ = await hub(hub_settings, "dead-letters", "list", *mine, "--json")
    rows = json.loads(out)
    assert code == 0
    assert {row["id"] for row in rows} == {*ids, held}
    assert len(rows) == 4
    assert rows[0]["detail"] == "occurred_at: no such day"
    code, out, _ = await hub(hub_settings, "dead-letters", "list", *mine, "--counts", "--json")
    counted = {(row["stage"], row["reason"]): row["count"] for row in json.loads(out)}
    assert counted == {("core", "date"): 3, ("deliver", "date"): 1}

    code, out, _ = await hub(hub_settings, "dead-letters", "show", ids[0])
    assert code == 0
    assert "N** V** A**" in out
    assert "Nguyễn" not in out
    _, out, _ = await hub(hub_settings, "dead-letters", "show", ids[0], "--reveal", "--why", "call 12", "--json")
    assert json.loads(out)["content"]["data"]["applicant"]["name"] == "Nguyễn Văn A"

    code, out, _ = await hub(hub_settings, "dead-letters", "replay", *mine, "--stage", "core", "--dry-run", "--json")
    assert (code, json.loads(out)["sent"]) == (0, [{"stage": "core", "reason": "date", "count": 3}])
    assert await ingress_of(hub_settings, letters.source) == []
    code, out, _ = await hub(hub_settings, "dead-letters", "replay", *mine, "--yes", "--why", "mended", "--json")
    assert code == 0
    assert json.loads(out)["done"] is True

    back = await ingress_of(hub_settings, letters.source)
    assert [dict(r.headers)["ce_id"] for r in back] == [b"e-0", b"e-1", b"e-2"]
    assert {dict(r.headers)["ce_replayof"].decode() for r in back} == set(ids)
    assert {r.key for r in back} == {letters.code.encode()}
    orders = [Request.model_validate_json(r.value) for r in await records_of(hub_settings, REQUESTS)]
    [order] = [o for o in orders if o.key == letters.code]
    assert (order.action, order.subscriber, order.pointers[0].offset, order.pointers[0].hub_seq, order.why) == (
        "replay", "national", 9, 9, "mended",
    )  # fmt: skip
    told = [await entries(hub_settings, Wanted(target=word)) for word in (letters.code, ids[0])]
    assert [(e.action, e.why, e.result) for found in told for e in found] == [
        ("dead-letters.replay", "mended", "done"), ("dead-letters.reveal", "call 12", "done"),
    ]  # fmt: skip


async def test_replays_do_not_multiply(hub_settings: Settings, codec: Codec) -> None:
    """Replayed, refused again, replayed: each time only the last one goes; what is done goes only with --again."""
    letters = Letters(hub_settings, codec)
    first = await letters.put(1)
    mine = ("--dossier", letters.code, "--yes", "--json")
    assert json.loads((await hub(hub_settings, "dead-letters", "replay", *mine))[1])["sent"][0]["count"] == 1
    code, out, _ = await hub(hub_settings, "dead-letters", "replay", *mine)
    assert (code, json.loads(out)["sent"], json.loads(out)["closed"]) == (1, [], 1)
    await letters.put(2, headers=[("ce_replayof", first.encode())])  # the core refused the replayed one

    _, out, _ = await hub(hub_settings, "dead-letters", "list", "--dossier", letters.code, "--closed", "--json")
    assert [row["state"] for row in json.loads(out)] == ["open"]
    assert json.loads((await hub(hub_settings, "dead-letters", "replay", *mine))[1])["sent"][0]["count"] == 1
    _, out, _ = await hub(hub_settings, "dead-letters", "list", "--dossier", letters.code, "--closed", "--json")
    assert [row["state"].split()[0] for row in json.loads(out)] == ["replayed"]
    assert (await hub(hub_settings, "dead-letters", "list", "--dossier", letters.code, "--json"))[1].strip() == "[]"
    assert (await hub(hub_settings, "dead-letters", "replay", *mine, "--again"))[0] == 0
    assert len(await ingress_of(hub_settings, letters.source)) == 3


async def test_what_cannot_go_back_is_told_and_the_rest_goes(hub_settings: Settings, codec: Codec) -> None:
    letters = Letters(hub_settings, codec)
    good, crash = await letters.put(1), await letters.put(2, stage="crash", topic="hub.events")

    code, out, _ = await hub(hub_settings, "dead-letters", "replay", good, crash, "--yes", "--json")

    told = json.loads(out)
    assert code == 1
    assert list(told["refused"]) == [crash]
    assert len(await ingress_of(hub_settings, letters.source)) == 1


async def test_without_a_filter_or_an_answer_nothing_is_sent(hub_settings: Settings, codec: Codec) -> None:
    letters = Letters(hub_settings, codec)
    one = await letters.put(1)
    code, _, err = await hub(hub_settings, "dead-letters", "replay", "--yes")
    assert (code, "--all" in err) == (2, True)
    code, out, _ = await hub(hub_settings, "dead-letters", "replay", one)  # no terminal, no answer
    assert code == 1
    assert "would replay 1" in out
    code, _, err = await hub(hub_settings, "dead-letters", "show", "nobody")
    assert (code, "no dead letter" in err) == (1, True)
    code, _, err = await hub(hub_settings, "dead-letters", "list", "--stage", "kernel")
    assert (code, "gateway, intake" in err) == (2, True)
    assert await ingress_of(hub_settings, letters.source) == []


async def test_since_and_the_newest(hub_settings: Settings, codec: Codec) -> None:
    letters = Letters(hub_settings, codec)
    ids = [await letters.put(n, at_ms=1_000 + n) for n in range(30)]
    found = await letter_list.newest(hub_settings, Filter(dossier=letters.code), 3)
    assert [one.found.letter.id for one in found] == [ids[29], ids[28], ids[27]]
    assert {one.found.letter.value for one in found} == {None}
    first = [r.timestamp for r in await records_of(hub_settings, "hub.dead-letters") if r.key == letters.code.encode()]
    later = [f async for f in browse.scan(hub_settings, Filter(dossier=letters.code, since_ms=first[20]), {})]
    assert 0 < len(later) <= 10 + first.count(first[20])
    beyond = Filter(dossier=letters.code, since_ms=first[-1] + 10_000)
    assert not [f async for f in browse.scan(hub_settings, beyond, {})]
