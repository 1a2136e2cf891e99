"""What the demo sets up around a running hub: two portals' simulators, the subscribers, the organisations."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from hub.admin import organisations
from hub.config import Settings
from hub.control.audit import Actor
from hub.control.changes import write
from hub.control.records import Organisation, Subscriber
from hub.demo.sample_input import agencies
from hub.errors import StartError
from hub.events.families import DOSSIER
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import subscriber_topics
from hub.machine.child_process import die_with_parent
from hub.machine.durable_files import write_durably
from hub.supervisor.environment import variables
from hub.untyped import SettingsTable

FAULT_RATE = 0.05
FAULTS: Mapping[str, Sequence[str]] = {
    "national": ("http_500", "http_502", "http_429", "html", "empty", "reset", "dropped_reply", "expired_session"),
    "provincial": ("http_500", "http_502", "http_429", "reset", "dropped_reply"),
}
CONNECTORS = {"national": "national-portal", "provincial": "webhook"}
"""Kind of each portal's connector, which is its simulator's name too."""
START_S = 30.0
SIGNING = "provincial-signing"
"""The file of the webhooks' secret, in the folder that the hub may name."""
NATIONAL_LIST = "national-list.json"
"""The national portal's list of procedures, in the portals' folder; empty until the second act."""
FILE_HOST = "127.0.0.1"
"""Links to it are tried: the national portal's simulator keeps files there."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """One portal that runs. url: what the subscriber's settings need. database: what it keeps."""

    name: str
    address: str
    url: str
    database: Path

    async def faults(self) -> dict[str, int]:
        """Faults that it injected, by kind."""
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
            return dict((await client.get(f"{self.address}/_admin/faults")).json()["counts"])


@contextlib.asynccontextmanager
async def simulators(settings: Settings, folder: Path) -> AsyncIterator[dict[str, Simulator]]:
    """Both portals as processes of their own, failing in FAULT_RATE of their calls; stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = settings.data_dir / "secrets" / SIGNING
    secret.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(secret, b"whsec_" + base64.b64encode(secrets.token_bytes(32)), mode=0o600)
    async with contextlib.AsyncExitStack() as stack:
        (folder / NATIONAL_LIST).write_text("{}", "ascii")
        inbound = f"http://{settings.gateway.host}:{settings.gateway.port}/inbound/national-portal"
        more = ("--catalogue", str(folder / NATIONAL_LIST), "--inbound-url", inbound)
        national = await _start(stack, settings, folder, "national", "adapter_url", *more)
        provincial = await _start(stack, settings, folder, "provincial", "url", "--secret", f"file:{secret.absolute()}")
        yield {"national": national, "provincial": provincial}


async def _start(
    stack: contextlib.AsyncExitStack, settings: Settings, folder: Path, name: str, word: str, *more: str
) -> Simulator:
    database = folder / f"{name}.sqlite"
    command = [sys.executable, "-m", "hub", "simulate", CONNECTORS[name], "--port", "0", "--database", str(database)]
    command += ["--faults", ",".join(FAULTS[name]), "--fault-rate", str(FAULT_RATE), "--seed", "7", *more]
    with (folder / f"{name}.log").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=variables(settings),
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),
        )
    stack.push_async_callback(_stop, process)
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(START_S):
            while f"{word}: ".encode() not in said:
                line = await process.stdout.readline()
                if not line:
                    raise StartError(f"the {name} portal's simulator ended at once; see {folder / f'{name}.log'}")
                said += line
    except TimeoutError:
        raise StartError(f"the {name} portal's simulator did not start within {START_S:.0f} s") from None
    text = said.decode()
    address = re.search(r"simulator: (\S+)", text)
    url = re.search(rf"^{word}: (\S+)", text, re.MULTILINE)
    assert address is not None
    assert url is not None
    return Simulator(name, address[1], url[1], database)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
    # Its pipe is closed with it; read what is left, so that the transport goes.
    if process.stdout is not None:
        await process.stdout.read()


def subscribers(portals: Mapping[str, Simulator]) -> list[Subscriber]:
    """Both portals, due every event: from the log, since a backfill by state may cover several with one."""
    national: SettingsTable = {"adapter_url": portals["national"].url, "madonvi": "H11", "username": "demo",
                                "allow_loopback": True, "file_hosts": [FILE_HOST]}  # fmt: skip
    provincial: SettingsTable = {"url": portals["provincial"].url, "allow_loopback": True}
    return [
        Subscriber(name="national", kind=CONNECTORS["national"], title="Cổng Dịch vụ công quốc gia (mô phỏng)",
                   settings=national, secrets={"password": "demo"}, backfill="log"),
        Subscriber(name="provincial", kind=CONNECTORS["provincial"], title="Cổng dịch vụ công của tỉnh (mô phỏng)",
                   settings=provincial, backfill="log",
                   secrets={"signing": f"file:{SIGNING}"}),
    ]  # fmt: skip


async def add_all(settings: Settings, portals: Mapping[str, Simulator]) -> dict[str, str]:
    """Writes subscribers and organisations; organisation -> API key."""
    receivers = subscribers(portals)
    for receiver in receivers:
        await ensure_topics(settings, subscriber_topics(receiver.name))
    await write(settings, *receivers)
    keys: dict[str, str] = {}
    for agency in agencies():
        organisation = Organisation(
            name=agency.name, title=agency.title, sources=(agency.source,), agencies=(agency.code,),
            families=(DOSSIER.name,), kafka_topic=agency.carrier == "kafka",
        )  # fmt: skip
        keys[agency.name] = await organisations.add(settings, organisation, Actor("demo", why="the demo's agencies"))
    return keys
