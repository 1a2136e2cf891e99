"""A whole hub as a newcomer runs it: `hub up` as a process on the embedded broker, with both portals' simulators."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from hub.admin import organisations
from hub.config import DeliverySettings, Settings
from hub.control.audit import Actor
from hub.control.changes import write
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import subscriber_topics
from hub.machine.ports import free_port
from hub.supervisor.environment import variables
from tests.support.roles import until
from tests.support.simulators import Simulator, simulator

SOURCE = "urn:vn:gov:H11.12:chaos"
STEPS = ("RECEIVED", "IN_PROCESS", "IN_PROCESS", "FINISHED", "RETURNED")
PORTALS = {"national": "national-portal", "provincial": "webhook"}


class Hub:
    """`portals` by subscriber's name; `accepted` ids of events the gateway answered 2xx for, by dossier."""

    def __init__(self, settings: Settings, portals: dict[str, Simulator]) -> None:
        self.settings, self.portals = settings, portals
        self.accepted: dict[str, list[str]] = defaultdict(list)
        self.log = settings.data_dir / "up.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", "up"], env=variables(settings), stdout=log, stderr=log
            )
        self._key = ""

    # --- roles -------------------------------------------------------------------------------------------------------

    def pid(self, role: str) -> int | None:
        """The role's process as its note tells, if that process lives."""
        try:
            note = json.loads((self.settings.run_dir / f"{role.replace(':', '_')}.json").read_text())
            os.kill(note["pid"], 0)
        except (OSError, ValueError, KeyError):
            return None
        return int(note["pid"])

    def is_ready(self, role: str) -> bool:
        if self.pid(role) is None:
            return False
        note = json.loads((self.settings.run_dir / f"{role.replace(':', '_')}.json").read_text())
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(note["observe"] + "/ready", timeout=2, trust_env=False).status_code == 200
        return False

    def ready(self, *roles: str, within: float = 90) -> None:
        def all_ready() -> bool:
            assert self.process.poll() is None, f"the hub ended\n{self.tail()}"
            return all(self.is_ready(role) for role in roles)

        try:
            until(all_ready, within, f"{', '.join(roles)} ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.tail()}") from None

    def kill(self, role: str, number: int = signal.SIGKILL) -> int:
        """Sends the signal to the role's process; its pid."""
        pid = self.pid(role)
        assert pid is not None, f"{role} does not run\n{self.tail()}"
        os.kill(pid, number)
        return pid

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    # --- set up and feed ----------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Topics, an agency with a key, both subscribers; returns when every role is ready."""
        await asyncio.to_thread(self.ready, "broker", "registry", "core", "gateway")
        for name, portal in self.portals.items():
            await ensure_topics(self.settings, subscriber_topics(name))
            # With backfill "state", what is fed while that runs may reach the portal as one state, by design.
            await write(self.settings, portal.subscriber(name, backfill="log"))
        agency = organisations.checked({"name": "chaos", "sources": [SOURCE], "agencies": ["H11.12"]})
        self._key = await organisations.add(self.settings, agency, Actor("test"))
        await asyncio.to_thread(self.ready, "core", "reconcile", *(f"deliver:{name}" for name in self.portals))

    async def feed(self, dossiers: range, steps: Sequence[str] = STEPS, within: float = 120) -> None:
        """One event of each dossier after the other, as an agency that tries again until the gateway says 2xx."""
        address = f"http://127.0.0.1:{self.settings.gateway.port}/v1/events"
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/cloudevents-batch+json"}
        async with asyncio.timeout(within), httpx.AsyncClient(timeout=15, trust_env=False) as client:
            for number, word in enumerate(steps):
                events = [_event(dossier, number, word) for dossier in dossiers]
                for at in range(0, len(events), 100):
                    await self._post(client, address, headers, events[at : at + 100])

    async def _post(self, client: httpx.AsyncClient, address: str, headers: dict[str, str], batch: list[Any]) -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await client.post(address, headers=headers, content=json.dumps(batch))
                if answer.status_code in (200, 202):
                    refused = [r for r in answer.json()["results"] if r["status"] == "rejected"]
                    assert not refused, refused[:2]
                    for event in batch:
                        self.accepted[event["subject"]].append(event["id"])
                    return
                assert answer.status_code in (401, 429, 502, 503), f"{answer.status_code} {answer.text[:300]}"
            await asyncio.sleep(0.2)

    # --- the check from outside ---

    def undelivered(self) -> dict[str, int]:
        """subscriber -> events accepted and not in its portal's database yet (by count per dossier)."""
        had: dict[str, dict[str, int]] = {
            "provincial": dict(self.portals["provincial"].rows("SELECT key, COUNT(*) FROM events GROUP BY key")),
            "national": dict(
                self.portals["national"].rows(
                    "SELECT ma_ho_so, COUNT(DISTINCT thoi_diem_xu_ly || '|' || trang_thai || '|' || phong_ban_xu_ly) "
                    "FROM progress_lines GROUP BY ma_ho_so"
                )
            ),
        }
        return {
            name: sum(max(0, len(ids) - had[name].get(code, 0)) for code, ids in self.accepted.items())
            for name in self.portals
        }

    def settled(self, within: float = 180) -> None:
        try:
            until(lambda: not any(self.undelivered().values()), within, "everything accepted is delivered")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.undelivered()}\n{self.tail()}") from None

    def check(self) -> None:
        """Nothing lost, nothing invented, order per dossier at first arrival, the portals' last state the true one."""
        arrived: dict[str, list[int]] = defaultdict(list)
        for key, seq in self.portals["provincial"].rows("SELECT key, hub_seq FROM events ORDER BY arrival"):
            arrived[key].append(seq)
        assert set(arrived) == set(self.accepted)
        for code, ids in self.accepted.items():
            assert arrived[code] == list(range(1, len(ids) + 1)), code
        last = dict(self.portals["national"].rows("SELECT ma_ho_so, trang_thai FROM dossiers"))
        assert set(last) == set(self.accepted)
        assert set(last.values()) == {"10"}, "TrangThaiHoSo 10: returned"


def _event(dossier: int, number: int, word: str) -> dict[str, Any]:
    code = f"000.00.12.H11-261124-{dossier:04}"
    return {
        "specversion": "1.0",
        "id": f"{code}/{number}",
        "source": SOURCE,
        "type": "vn.hub.dossier.step",
        "subject": code,
        "data": {
            "dossier_code": code,
            "step": word,
            "occurred_at": f"2026-11-24T08:{number:02}:00+07:00",
            "procedure_code": "1.004194",
            "procedure_name": "Cấp giấy phép xây dựng nhà ở riêng lẻ",
            "agency_code": "H11.12",
            "handler": {"name": "Trần Văn Bình", "department": "Phòng Kinh tế và Hạ tầng"},
        },
    }


@contextlib.contextmanager
def hub_up(tmp_path: Path, **delivery: Any) -> Iterator[Hub]:
    """A hub of its own (broker, data, ports), stopped at the end; its exit status is then in `process.returncode`."""
    quick = {"retry_base_s": 0.2, "retry_cap_s": 2.0, "breaker_open_s": 1.0, "probe_idle_s": 2.0} | delivery
    settings = Settings(
        data_dir=tmp_path / "hub",
        kafka={"partitions": 4},
        embedded={"port": free_port(), "heap_mb": 384},
        registry={"port": free_port()},
        gateway={"port": free_port()},
        console={"port": free_port()},
        observe={"port_base": 0},
        delivery=DeliverySettings(**quick),
    )
    settings.data_dir.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        portals = {name: stack.enter_context(simulator(kind, tmp_path / name)) for name, kind in PORTALS.items()}
        hub = Hub(settings, portals)
        try:
            yield hub
        finally:
            hub.process.terminate()
            try:
                hub.process.wait(60)
            except subprocess.TimeoutExpired:
                hub.process.kill()
                hub.process.wait(60)
