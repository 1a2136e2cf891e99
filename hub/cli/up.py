"""`hub up`: all roles under one supervisor, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import fcntl
import signal
from typing import IO

import typer

from hub import config
from hub.config import Settings
from hub.errors import StartError
from hub.observe import logs, server
from hub.observe.health import HEALTH
from hub.supervisor.supervisor import Supervisor

app = typer.Typer(add_completion=False)

SUPERVISOR_NUMBER = 10
"""Its place among the observe ports."""


@app.command()
def up() -> None:
    """Run the embedded broker (unless a cluster is set) and all roles; a role that dies is started again.

    `hub status` shows them, each role's log stands in data_dir/logs. Ends with 3 and the reason if a vital role
    (broker, registry, core) cannot run.
    """
    settings = config.load()
    logs.setup("supervisor", settings.observe)
    with _only_one(settings):
        asyncio.run(_main(settings))


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    supervisor = Supervisor(settings)
    HEALTH.ready["roles"] = supervisor.health
    async with server.serve("supervisor", settings, SUPERVISOR_NUMBER):
        await supervisor.run(stop)


def _only_one(settings: Settings) -> IO[str]:
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    lock = (settings.run_dir / "supervisor.lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StartError(f"another `hub up` runs on {settings.data_dir}; stop it, or set HUB_DATA_DIR") from None
    return lock
