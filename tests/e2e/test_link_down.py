"""A real Prometheus sees the national portal cut, fires `link down`, and clears it when the portal is back."""

from __future__ import annotations

import asyncio
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.config import DeliverySettings, Settings
from hub.control.changes import write
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import subscriber_topics
from hub.machine.ports import free_port
from hub.registry.client import open_codec
from tests.support.debian import program
from tests.support.registry_fixture import running
from tests.support.roles import role, until
from tests.support.simulators import simulator

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.slow]
DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"


@pytest.fixture
def prometheus(hub_settings: Settings, tmp_path: Path) -> Iterator[str]:
    """Prometheus on the shipped rules and scrape configuration; only the run folder's place and the pace differ."""
    binary = program("prometheus", "usr/bin/prometheus")
    config = (DEPLOY / "prometheus.yml").read_text()
    config = config.replace("/var/lib/hub/run", str(hub_settings.run_dir.absolute())).replace(
        "_interval: 5s", "_interval: 1s"
    )
    (tmp_path / "prometheus.yml").write_text(config)
    (tmp_path / "rules.yml").write_text((DEPLOY / "rules.yml").read_text())
    port = free_port()
    command = [str(binary), f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
               f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    with (tmp_path / "prometheus.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def ask(address: str, path: str) -> Any:
    try:
        with urllib.request.urlopen(address + path, timeout=30) as answer:
            return json.loads(answer.read())["data"]
    except OSError:
        return {}


def firing(address: str) -> set[tuple[str, str]]:
    """(alert, connection) of what fires now."""
    alerts = ask(address, "/api/v1/alerts").get("alerts", [])
    return {(a["labels"]["alertname"], a["labels"].get("connection", "")) for a in alerts if a["state"] == "firing"}


async def test_a_cut_portal_fires_link_down_and_clears(hub_settings: Settings, prometheus: str, tmp_path: Path) -> None:
    quick = DeliverySettings(probe_idle_s=1.0, breaker_open_s=1.0, retry_base_s=0.2, retry_cap_s=1.0)
    settings = hub_settings.model_copy(update={"delivery": quick})
    await ensure_topics(settings, subscriber_topics("national"))
    async with running(settings):
        await open_codec(settings)
    await asyncio.to_thread(_cut_and_heal, settings, prometheus, tmp_path)


def _cut_and_heal(settings: Settings, prometheus: str, tmp_path: Path) -> None:
    with simulator("national-portal", tmp_path / "portal") as portal:
        asyncio.run(write(settings, portal.subscriber("national")))
        with role("deliver:national", settings):
            link = '/api/v1/query?query=hub_link_up{connection="national"}'.replace("{", "%7B").replace("}", "%7D")

            def link_is(value: str) -> bool:
                return [r["value"][1] for r in ask(prometheus, link.replace('"', "%22")).get("result", [])] == [value]

            until(lambda: link_is("1"), 60, "Prometheus sees the link up")
            assert firing(prometheus) == set()
            portal.admin("down")
            until(lambda: ("HubLinkDown", "national") in firing(prometheus), 60, "link down fires")
            portal.admin("up")
            until(lambda: firing(prometheus) == set(), 60, "it clears")
