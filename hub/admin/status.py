"""The state of the whole hub: every role of the plan and every connection, from the run folder, from what each role
answers, and from hub.control, which says whom deliveries run for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from hub.config import Settings
from hub.control.directory import directory
from hub.errors import HubError
from hub.supervisor import plan, status
from hub.untyped import JsonObject
from hub.web.own_calls import trust

ASK_S = 5.0
MISSING = "missing"
"""The state of a role of the plan that does not run."""
_WATCHDOG = "hub_watchdog_gap_seconds"
_LINKS = {"hub_link_up", "hub_link_parked_dossiers", "hub_link_held_dossiers", "hub_link_oldest_undelivered_seconds"}


async def collect(settings: Settings, here: bool = False) -> JsonObject:
    """{"ok", "waits_for", "supervisor", "roles": [...], "connections": [...]}; ok: nothing is waited for.

    here: only what runs on this machine is judged, for a hub whose roles are spread over several.
    """
    told = status.read(settings)
    alive = bool(told and told["alive"])
    roles = {row["role"]: row for row in told["roles"]} if told and alive else {}
    notes = [_note(path) for path in sorted(settings.run_dir.glob("*.json")) if path.name != "status.json"]
    running = [note for note in notes if note and status.is_running(note["pid"])]
    async with httpx.AsyncClient(timeout=3.0, trust_env=False, verify=trust(settings.doors)) as client:
        answers = await asyncio.gather(*(_ask(client, note) for note in running))
    for note, (row, _links) in zip(running, answers, strict=True):
        if note["role"] != "supervisor":
            base = {"role": note["role"], "state": "running", "pid": note["pid"], "starts": None, "reason": ""}
            roles[note["role"]] = base | roles.get(note["role"], {}) | row
    links = [link for _row, found in answers for link in found]
    unknown = "" if here or not roles else await _expect(settings, roles)
    waits_for = [unknown] if unknown else []
    waits_for += [_why(row) for row in roles.values() if not row.get("ready")]
    waits_for += [f"connection {link['connection']} is down" for link in links if not link.get("up", True)]
    supervisor = {"pid": told["pid"], "failure": told["failure"]} if told and alive else None
    last = told["failure"] if told and not alive else ""
    return {
        "ok": bool(roles) and not waits_for,
        "waits_for": waits_for,
        "supervisor": supervisor,
        "last_failure": last,
        "roles": list(roles.values()),
        "connections": links,
    }


async def _expect(settings: Settings, roles: dict[str, JsonObject]) -> str:
    """Adds a row for each role of the plan that does not run. What could not be learned, "" if nothing."""
    subscribers: list[str] = []
    unknown = ""
    broker = roles.get("broker")
    if settings.kafka.bootstrap_servers or (broker and broker.get("ready")):
        try:
            async with asyncio.timeout(ASK_S), directory(settings) as copy:
                subscribers = sorted(copy.subscribers)
        except (HubError, TimeoutError) as error:
            unknown = f"the subscribers, which cannot be read: {error or 'no answer from the broker'}"
    for name in plan.roles(settings, plan.sources(settings), subscribers):
        if name not in roles:
            row = {"role": name, "state": MISSING, "pid": None, "starts": None, "reason": "does not run"}
            roles[name] = row | {"ready": False, "checks": {}}
    return unknown


def _why(row: JsonObject) -> str:
    """What is waited for, in words."""
    if row["state"] == MISSING:
        return f"{row['role']} does not run"
    wrong = [text.removeprefix("NOT ok: ") for text in row.get("checks", {}).values() if text.startswith("NOT")]
    return f"{row['role']}: {'; '.join(wrong) or row['reason'] or row['state']}"


def _note(path: Path) -> JsonObject | None:
    try:
        note: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if {"role", "pid", "observe"} <= note.keys() else None


async def _ask(client: httpx.AsyncClient, note: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """({"ready", "checks", "observe"}, its connections) from a role's observe port."""
    row: JsonObject = {"observe": note["observe"], "ready": False, "checks": {}}
    try:
        ready = await client.get(f"{note['observe']}/ready")
        row |= {"ready": ready.status_code == 200, "checks": ready.json()["checks"]}
        text = (await client.get(f"{note['observe']}/metrics")).text
    except (httpx.HTTPError, ValueError, KeyError) as error:
        row["checks"] = {"observe": f"NOT ok: no answer ({type(error).__name__})"}
        return row, []
    families = list(text_string_to_metric_families(text))
    row["watchdog_gap_s"] = max((s.value for f in families for s in f.samples if s.name == _WATCHDOG), default=0.0)
    return row, _connections(families)


def _connections(families: list[Metric]) -> list[JsonObject]:
    links: dict[str, JsonObject] = {}
    for family in families:
        for sample in family.samples:
            if sample.name in _LINKS:
                name = sample.labels["connection"]
                key = sample.name.removeprefix("hub_link_")
                value: Any = bool(sample.value) if key == "up" else sample.value
                links.setdefault(name, {"connection": name})[key] = value
    return list(links.values())
