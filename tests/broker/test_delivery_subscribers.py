"""Subscribers as data: the command line, the same over HTTP, topics, audit, masked secrets, rotation."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr
from standardwebhooks import Webhook
from typer.testing import CliRunner

from hub.admin import subscribers
from hub.admin.audit_list import Wanted, entries
from hub.cli.subscribers import app
from hub.control import bursts
from hub.control.audit import Actor
from hub.control.changes import write
from hub.control.records import Subscriber
from hub.errors import ConfigError
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import CONTROL
from hub.supervisor.environment import variables
from tests.support.gateway import running
from tests.support.topics import read_all

pytestmark = pytest.mark.broker
AN = Actor("an")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # example of the specification
SETTINGS = {"url": "http://127.0.0.1:9/hook", "allow_loopback": True, "timeout_s": 0.5}


@pytest.fixture
async def settings(hub_settings, monkeypatch):
    await ensure_topics(hub_settings)
    return hub_settings


@pytest.fixture
def name():
    return f"s-{uuid.uuid4().hex[:8]}"


def wanted(name, /, **changes):
    return {
        "name": name, "kind": "webhook", "settings": SETTINGS, "secrets": {"signing": SECRET}
    } | changes  # fmt: skip


async def audited(settings, target):
    found = await entries(settings, Wanted(target=f"subscriber/{target}"))
    return [(e.action, e.who, e.why) for e in reversed(found) if e.result == "done"]


async def test_add_makes_topics_and_is_audited(settings, name):
    await subscribers.add(settings, wanted(name), Actor("an", why="new portal"))
    client = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await client.start()
    topics = await client.list_topics()
    await client.close()
    assert {f"hub.out.{name}", f"hub.parking.{name}"} <= set(topics)
    assert await audited(settings, name) == [("subscriber.add", "an", "new portal")]
    with pytest.raises(subscribers.NameTaken):
        await subscribers.add(settings, wanted(name), AN)


async def test_a_record_of_a_renamed_kind_is_written_anew_at_its_next_change(settings, name):
    """Written as the version before did; the pause writes the kind of today."""
    producer = clients.producer(settings)
    await producer.start()
    old = Subscriber(**wanted(name)).model_dump_json().replace('"webhook"', '"provincial-portal"')
    await clients.send_all(producer, [(CONTROL, f"subscriber/{name}".encode(), old.encode(), ())])
    await producer.stop()
    assert (await subscribers.get(settings, name)).kind == "webhook"
    await subscribers.pause(settings, name, True, AN)
    key = f"subscriber/{name}".encode()
    written = [one.value async for one in read_all(settings.bootstrap, CONTROL) if one.key == key]
    assert [json.loads(value)["kind"] for value in written] == ["provincial-portal", "webhook"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "fax"}, "kind"),
        ({"name": "Not Good"}, "name"),
        ({"settings": {"url": "no url"}}, "settings.url"),
        ({"settings": SETTINGS | {"colour": 1}}, "settings.colour"),
        ({"settings": SETTINGS | {"delivery": {"workers": 0}}}, "settings.delivery.workers"),
        ({"secrets": {}}, "secrets.signing"),
        ({"backfill": "everything"}, "backfill"),
        ({"filter": {"agencies": 3}}, "filter.agencies"),
        ({"filter": {"agencies": ["*"]}}, "filter.agencies"),
        ({"filter": {"agencies": ["H11", "h11 12"]}}, "filter.agencies"),
        ({"filter": {"procedures": ["1.00419"]}}, "filter.procedures"),
        ({"filter": {"types": ["received"]}}, "filter.types"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_written(settings, name, changes, field):
    with pytest.raises(ConfigError) as caught:
        await subscribers.add(settings, wanted(name, **changes), AN)
    assert caught.value.field == field
    with pytest.raises(subscribers.UnknownSubscriber):
        await subscribers.show(settings, name)


async def test_a_rotated_secret_signs_beside_the_old_one(settings, name):
    from hub.connect.portal import make_portal
    from hub.control.vault import vault

    await subscribers.add(settings, wanted(name), AN)
    value, _ = await subscribers.rotate_secret(settings, name, Actor("an", why="yearly"))
    stored = await subscribers.get(settings, name)
    portal: Any = make_portal(stored, vault(settings))
    signers = portal._signers
    assert [s.sign("id", stored.created_at, "{}") for s in signers] == [
        Webhook(v).sign("id", stored.created_at, "{}") for v in (value, SECRET)
    ]
    value, _ = await subscribers.rotate_secret(settings, name, AN, overlap=timedelta(0))
    assert len((await subscribers.get(settings, name)).secrets) == 2  # the first one's overlap goes on
    shown = json.dumps(await subscribers.show(settings, name))
    assert SECRET not in shown
    assert value not in shown
    with pytest.raises(ConfigError):
        await subscribers.rotate_secret(settings, name, AN, secret="password")


async def test_a_filter_from_before_that_admits_nothing_bars_no_other_change(settings, name):
    given = wanted(name, filter={"agencies": ["*", "001.00.12.H11"]})
    await write(settings, Subscriber.model_validate(given))
    assert (await subscribers.change(settings, name, {"title": "Cổng"}, AN)).filter.agencies == ("*", "H11.12.00.001")
    await subscribers.rotate_secret(settings, name, AN)
    for agencies in (["*"], ["H11", "*"]):
        with pytest.raises(ConfigError, match=r"filter\.agencies"):
            await subscribers.change(settings, name, {"filter": {"agencies": agencies}}, AN)
    mended = await subscribers.change(settings, name, {"filter": {"agencies": ["H11"]}}, AN)
    assert mended.filter.agencies == ("H11",)


async def test_over_http_with_the_operators_token(settings, name, monkeypatch):
    settings = settings.model_copy(
        update={"gateway": settings.gateway.model_copy(update={"admin_token": SecretStr("t0ken")})}
    )
    operator = {"Authorization": "Bearer t0ken", "X-Operator": "binh", "X-Reason": "test"}
    async with running(settings, monkeypatch) as http:
        assert (await http.get("/v1/subscribers")).status_code == 401
        assert (await http.get("/v1/subscribers", headers={"Authorization": "Bearer x"})).status_code == 401
        http.headers.update(operator)
        made = await http.post("/v1/subscribers", json=wanted(name))
        assert (made.status_code, made.json()["secrets"]) == (201, {"signing": "********"})
        assert (await http.post("/v1/subscribers", json=wanted(name))).status_code == 409
        wrong = await http.post("/v1/subscribers", json=wanted(f"{name}2", settings={"url": "x"}))
        assert (wrong.status_code, wrong.json()["field"]) == (422, "settings.url")
        assert (await http.get(f"/v1/subscribers/{name}x")).status_code == 404
        assert (await http.post(f"/v1/subscribers/{name}/pause")).json()["paused"] is True
        assert (await http.post(f"/v1/subscribers/{name}/resume")).json()["paused"] is False
        changed = await http.patch(f"/v1/subscribers/{name}", json={"filter": {"agencies": ["001.00.12.H11"]}})
        assert changed.json()["filter"]["agencies"] == ["H11.12.00.001"]
        refused = await http.patch(f"/v1/subscribers/{name}", json={"filter": {"agencies": ["*"]}})
        assert (refused.status_code, refused.json()["field"]) == (422, "filter.agencies")
        assert "got '*'; give no agency to admit all" in refused.json()["detail"]
        rotated = await http.post(f"/v1/subscribers/{name}/rotate-secret", json={"overlap_hours": 1})
        assert rotated.json()["value"].startswith("whsec_")
        tested = await http.post(f"/v1/subscribers/{name}/test")
        assert (tested.json()["ok"], tested.json()["kind"]) == (False, "connect")
        assert name in [s["name"] for s in (await http.get("/v1/subscribers")).json()]
        assert (await http.get(f"/v1/subscribers/{name}/waiting")).json() == []
        assert (await http.get(f"/v1/subscribers/{name}x/waiting")).status_code == 404
        assert (await http.delete(f"/v1/subscribers/{name}")).status_code == 204
        assert (await http.get(f"/v1/subscribers/{name}")).status_code == 404
    await bursts.tell(settings, end=True)  # as the role's process does
    found = await entries(settings, Wanted(action="credentials.wrong"))
    assert ("refused", "none", "door/gateway") in {(e.result, e.role, str(e.target)) for e in found}
    told = await entries(settings, Wanted(target=f"subscriber/{name}", result="refused"))
    assert {e.action for e in told} == {"subscriber.add", "subscriber.change"}
    actions = [action for action, who, why in await audited(settings, name) if (who, why) == ("admin-token", "test")]
    assert sorted(actions) == sorted(
        f"subscriber.{a}" for a in ("add", "pause", "resume", "change", "rotate-secret", "test", "remove")
    )


def test_on_the_command_line(kafka, hub_settings, name, monkeypatch):
    import asyncio

    asyncio.run(ensure_topics(hub_settings))
    for variable, value in variables(hub_settings).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("HUB_SUBSCRIBER_SECRET", SECRET)

    def hub(*words):
        return CliRunner().invoke(app, words)

    options = ["--kind", "webhook", "--set", "url=http://127.0.0.1:9/", "--set", "allow_loopback=true"]
    options += ["--set", "timeout_s=0.5", "--secret", "signing", "--agency", "H11", "--backfill", "none", "--json"]
    made = hub("add", name, *options)
    assert made.exit_code == 0, made.output
    shown = json.loads(hub("show", name, "--json").output)
    assert (shown["settings"]["timeout_s"], shown["filter"]["agencies"], shown["backfill"]) == (0.5, ["H11"], "none")
    assert hub("pause", name).exit_code == 0
    assert name in [s["name"] for s in json.loads(hub("list", "--json").output) if s["paused"]]
    assert "paused" in hub("list").output
    assert hub("resume", name).exit_code == 0
    assert hub("change", name, "--type", "RECEIVED", "--set", "timeout_s=1").exit_code == 0
    shown = json.loads(hub("show", name, "--json").output)
    assert (shown["settings"]["timeout_s"], shown["filter"]["types"]) == (1, ["RECEIVED"])
    assert hub("change", name, "--agency", "001.00.12.H11").exit_code == 0
    assert json.loads(hub("show", name, "--json").output)["filter"]["agencies"] == ["H11.12.00.001"]
    assert "filter.agencies: must be an agency code" in str(hub("change", name, "--agency", "h11 12").exception)
    rotated = hub("rotate-secret", name)
    assert "whsec_" in rotated.output
    tested = hub("test", name, "--json")
    assert (tested.exit_code, json.loads(tested.output)["kind"]) == (1, "connect")
    assert SECRET not in hub("show", name).output
    assert json.loads(hub("waiting", name, "--json").output) == []
    assert hub("waiting", name).exit_code == 0
    assert hub("remove", name).exit_code == 0
    assert isinstance(hub("show", name).exception, subscribers.UnknownSubscriber)
