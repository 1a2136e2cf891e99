"""Organisations as operators keep them: over HTTP and on the command line, each act in the audit."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from hub.admin.audit_list import Wanted, entries
from hub.config import Settings
from hub.kafka.topic_admin import ensure_topics
from hub.machine.ports import free_port
from tests.support.command import hub
from tests.support.gateway import STRUCTURED, event, running, step

pytestmark = pytest.mark.broker


async def test_organisations_over_http(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add, use the key at once, narrow the right, rotate with and without overlap, remove; all of it in the audit."""
    await ensure_topics(hub_settings)
    guarded = hub_settings.gateway.model_copy(update={"admin_token": SecretStr("t0p"), "port": free_port()})
    own = hub_settings.model_copy(update={"gateway": guarded})
    name = f"org-{uuid.uuid4().hex[:8]}"
    by = {"authorization": "Bearer t0p", "x-operator": "lan", "x-reason": "ticket 7"}
    at = f"/v1/organisations/{name}"
    async with running(own, monkeypatch) as http:
        wanted = {"name": name, "sources": ["urn:s"], "agencies": ["000.00.12.H11"]}
        assert (await http.post("/v1/organisations", json=wanted)).status_code == 401
        wrong = await http.post("/v1/organisations", json=wanted | {"agencies": ["nowhere!"]}, headers=by)
        assert (wrong.status_code, wrong.json()["field"]) == (422, "agencies")
        added = (await http.post("/v1/organisations", json=wanted, headers=by)).json()
        assert (added["agencies"], added["keys"]) == (["H11.12"], 1)
        assert "key_hashes" not in added
        assert (await http.post("/v1/organisations", json=wanted, headers=by)).status_code == 409

        sent = event("urn:s", step("H11.12.7-261124-0001"))
        assert await eventually(http, sent, added["key"], 202)
        assert (await http.patch(at, json={"agencies": ["H11.13"]}, headers=by)).status_code == 200
        assert await eventually(http, event("urn:s", step("H11.12.7-261124-0001")), added["key"], 403)

        second = (await http.post(f"{at}/rotate-key", json={"overlap_hours": 1}, headers=by)).json()
        assert (second["keys"], len(second["keys_ending"])) == (2, 1)
        assert await eventually(http, event("urn:s", step("H11.13-261124-0001")), second["key"], 202)
        assert await eventually(http, event("urn:s", step("H11.13-261124-0001")), added["key"], 202)
        third = (await http.post(f"{at}/rotate-key", json={"overlap_hours": 0}, headers=by)).json()
        assert third["keys"] == 1
        assert await eventually(http, sent, second["key"], 401)
        assert await eventually(http, sent, added["key"], 401)

        assert (await http.delete(at, headers=by)).status_code == 204
        assert (await http.get(at, headers=by)).status_code == 404
        assert await eventually(http, sent, third["key"], 401)
    told = [e for e in reversed(await entries(hub_settings, Wanted(target=name))) if e.said == "lan"]
    assert {(e.who, e.role, e.why, e.where) for e in told} == {("admin-token", "operator", "ticket 7", "127.0.0.1")}
    assert [(e.action.removeprefix("organisation."), e.result) for e in told] == [
        ("add", "done"), ("add", "refused"), ("change", "done"), ("rotate-key", "done"), ("rotate-key", "done"),
        ("remove", "done"),
    ]  # fmt: skip


async def eventually(http: httpx.AsyncClient, sent: Any, key: str, status: int) -> bool:
    """A change comes to the gateway through hub.control; False if it does not come within a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answer = await http.post("/v1/events", json=sent, headers=STRUCTURED | {"authorization": f"Bearer {key}"})
        if answer.status_code == status:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_organisations_on_the_command_line(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    name = f"org-{uuid.uuid4().hex[:8]}"
    options = ("--source", "urn:a", "--source", "urn:b", "--agency", "000.00.12.H11", "--kafka-topic", "--why", "new")

    code, out, _ = await hub(hub_settings, "organisations", "add", name, *options)
    assert code == 0
    [key] = [word for word in out.split() if word.startswith("hub_")]
    code, out, _ = await hub(hub_settings, "organisations", "show", name, "--json")
    shown = json.loads(out)
    assert (shown["sources"], shown["agencies"], shown["keys"]) == (["urn:a", "urn:b"], ["H11.12"], 1)
    assert key not in out
    assert any(c.topic == f"hub.ingress.{name}" for c in await ensure_topics(hub_settings)) is False
    code, _, err = await hub(hub_settings, "organisations", "add", name)
    assert (code, "exists" in err) == (2, True)

    code, out, _ = await hub(hub_settings, "organisations", "change", name, "--family", "dossier", "--json")
    assert (code, json.loads(out)["families"], json.loads(out)["sources"]) == (0, ["dossier"], ["urn:a", "urn:b"])
    code, out, _ = await hub(hub_settings, "organisations", "rotate-key", name, "--overlap-hours", "0", "--json")
    assert code == 0
    assert json.loads(out)["key"] != key
    _, out, _ = await hub(hub_settings, "organisations", "list", "--json")
    assert [o["keys"] for o in json.loads(out) if o["name"] == name] == [1]
    assert (await hub(hub_settings, "organisations", "remove", name, "--why", "closed"))[0] == 0
    code, _, err = await hub(hub_settings, "organisations", "show", name)
    assert (code, name in err) == (2, True)

    told = list(reversed(await entries(hub_settings, Wanted(target=name))))
    assert [(e.action, e.result, e.reason) for e in told if e.result != "done"] == [
        ("organisation.add", "refused", f"name: organisation {name!r} exists; change it, or choose another name")
    ]
    done = [e for e in told if e.result == "done"]
    assert [(e.action.removeprefix("organisation."), e.why) for e in done] == [
        ("add", "new"), ("change", ""), ("rotate-key", ""), ("remove", "closed"),
    ]  # fmt: skip
    assert all("@" in e.who for e in done)
