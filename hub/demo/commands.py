"""What the demo asks of the running hub as an operator would: its commands, its read API, a subscriber on Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

import httpx

from hub.avro.bodies import DOSSIER_DEADLINE_EVENT
from hub.config import Settings
from hub.control.changes import write
from hub.control.records import Filter, Subscriber
from hub.demo.checker.deadlines import Told
from hub.errors import StartError
from hub.events import families
from hub.events.envelope import read_headers
from hub.kafka.tail import opened
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import out, subscriber_topics
from hub.machine.child_process import die_with_parent
from hub.registry.client import open_codec
from hub.supervisor.environment import variables
from hub.untyped import JsonObject

DEADLINES = "deadlines"
"""The subscriber on Kafka that is due deadlines only."""
COMMAND_S = 60.0
_AWAY = 75


async def hub_json(settings: Settings, *arguments: str) -> Any:
    """`hub … --json`. While a portal is away (exit 75) it is asked again. StartError if it says nothing usable."""
    deadline = asyncio.get_running_loop().time() + COMMAND_S
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", *arguments, "--json",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=variables(settings), preexec_fn=die_with_parent(os.getpid()),
        )  # fmt: skip
        said, errors = await process.communicate()
        if process.returncode != _AWAY:
            try:
                return json.JSONDecoder().raw_decode(said.decode())[0]
            except ValueError:
                last = errors.decode(errors="replace").strip().splitlines()[-1:]
                raise StartError(f"hub {' '.join(arguments)} ended with {process.returncode}: {last}") from None
        if asyncio.get_running_loop().time() > deadline:
            raise StartError(f"hub {' '.join(arguments)}: the portal was away for {COMMAND_S:.0f} s")
        await asyncio.sleep(0.5)


async def api(settings: Settings, *paths: str) -> list[JsonObject | None]:
    """What the read API answers to each path; None for 404."""
    found: list[JsonObject | None] = []
    base = f"http://{settings.console.host}:{settings.console.port}"
    async with httpx.AsyncClient(timeout=60.0, trust_env=False, base_url=base) as client:
        for path in paths:
            answer = await client.get(path)
            found.append(answer.json() if answer.status_code == 200 else None)
    return found


async def subjects(settings: Settings, codes: Iterable[str]) -> dict[str, JsonObject]:
    """Dossier, procedure or service code -> GET /v1/dossiers/{code}, for those that are known."""
    wanted = list(codes)
    found = await api(settings, *(f"/v1/dossiers/{code}" for code in wanted))
    return {code: answer for code, answer in zip(wanted, found, strict=True) if answer is not None}


async def metric(settings: Settings, http: httpx.AsyncClient, role: str, name: str) -> float | None:
    """One value of a role's /metrics; None while it does not answer."""
    with contextlib.suppress(OSError, ValueError, KeyError, httpx.HTTPError):
        note = json.loads((settings.run_dir / f"{role.replace(':', '_')}.json").read_text("utf-8"))
        text = (await http.get(f"{note['observe']}/metrics")).text
        if found := re.search(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE):
            return float(found[1])
    return None


async def add_deadline_subscriber(settings: Settings) -> None:
    """Adds a subscriber as `hub subscribers add deadlines --kind kafka-topic --type vn.hub.dossier.deadline` does."""
    await ensure_topics(settings, subscriber_topics(DEADLINES))
    wanted = Filter(types=(families.DEADLINE.type,))
    subscriber = Subscriber(
        name=DEADLINES, kind="kafka-topic", title="Giám sát thời hạn", filter=wanted, backfill="log"
    )
    await write(settings, subscriber)


async def follow_deadlines(settings: Settings, told: list[Told]) -> None:
    """Reads the subscriber's topic from its beginning until cancelled."""
    codec = await open_codec(settings)
    async with opened(settings) as tail:
        await tail.from_beginning(out(DEADLINES))
        async for _, records in tail.onwards(asyncio.Event()):
            for record in records:
                envelope = read_headers(record.headers)
                own = codec.read(DOSSIER_DEADLINE_EVENT, record.value).deadline
                told.append(Told(envelope.id, own.dossier_code, own.kind, own.deadline_at))
