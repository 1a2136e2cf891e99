"""What the running delivery roles say of their connections: their own /metrics, found through the run folder.

On one machine that is all of them; on several, each console shows its own machine's roles and Prometheus has the whole.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from hub.config import DoorSettings
from hub.web.own_calls import trust

WANTED = {
    "hub_link_up": "up",
    "hub_link_last_success_seconds": "last_success",
    "hub_link_oldest_undelivered_seconds": "oldest_undelivered",
    "hub_link_parked_dossiers": "parked",
    "hub_link_held_dossiers": "held",
    "hub_link_breaker_open": "breaker_open",
}


@dataclass
class RoleSeen:
    """One running role: `ready` None when it did not answer within a second."""

    role: str
    address: str
    ready: bool | None = None
    checks: dict[str, str] = field(default_factory=dict)
    connections: dict[str, dict[str, float]] = field(default_factory=dict)


async def look(run_dir: Path, door: DoorSettings) -> list[RoleSeen]:
    """Asks every role noted in the run folder, side by side, one second each at the most."""
    notes = []
    for path in sorted(run_dir.glob("*.json")):
        try:
            note = json.loads(path.read_text())
            notes.append(RoleSeen(str(note["role"]), str(note["observe"])))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # written just now, or no role's note
    async with httpx.AsyncClient(timeout=1.0, trust_env=False, verify=trust(door)) as client:
        await asyncio.gather(*(_ask(client, seen) for seen in notes))
    return notes


async def _ask(client: httpx.AsyncClient, seen: RoleSeen) -> None:
    try:
        answer = await client.get(seen.address + "/ready")
        seen.ready, seen.checks = answer.status_code == 200, answer.json().get("checks", {})
        metrics = await client.get(seen.address + "/metrics")
    except (httpx.HTTPError, ValueError):
        return
    for family in text_string_to_metric_families(metrics.text):
        if (name := WANTED.get(family.name)) is not None:
            for sample in family.samples:
                seen.connections.setdefault(sample.labels["connection"], {})[name] = sample.value
