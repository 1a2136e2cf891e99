"""`hub demo`: see hub/demo/."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import signal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel

from hub import config, exit_codes
from hub.config import Settings
from hub.errors import ConfigError, StartError
from hub.machine.ports import free_port
from hub.observe import logs

if TYPE_CHECKING:
    from hub.demo.run import Demo

app = typer.Typer(add_completion=False)

INBOUND: dict[str, dict[str, object]] = {"national-portal": {"clients": ["127.0.0.1/32"]}}
"""The national portal, simulated on this machine, may call in."""

LEAST_PROVINCE = 300
"""Fewer events show nothing of some slices."""

MARK = ".hub-demo"
"""In every folder that the demo made, so that it never empties another one."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="end after the report instead of staying up")] = False,
    report: Annotated[Path, typer.Option(help="where the report is written (JSON)")] = Path("var/demo-report.json"),
    dossiers: Annotated[int, typer.Option(min=120, max=1434, help="a short demo with so many dossiers")] = 1434,
    province_events: Annotated[
        int, typer.Option(min=0, max=20_000, help="size of the generated province of the second act; 0: without it")
    ] = 1500,
    data_dir: Annotated[Path, typer.Option(help="emptied at the start")] = Path("var/demo"),
) -> None:
    """The main job, end to end, on real input: 8,577 steps to two failing portals, with kills in between.

    Ends with 0 only if nothing is missing, nothing out of order and the dead letters are exactly the planted ones.
    """
    from hub.demo.run import Demo
    from hub.demo.view import View

    if 0 < province_events < LEAST_PROVINCE:
        raise ConfigError("--province-events", f"must be 0 or at least {LEAST_PROVINCE}")
    given = config.load(data_dir=data_dir)
    if given.kafka.bootstrap_servers:
        raise ConfigError("kafka.bootstrap_servers", "the demo brings its own broker; leave it empty")
    with _lock(data_dir):
        _fresh(data_dir)
        settings = settings_for(given, stay=not once)
        logs.setup("demo", settings.observe, data_dir / "logs" / "supervisor.log")
        run = Demo(settings, report, View(), province_events=province_events)
        if dossiers < run.dossiers:
            run.take_only(dossiers)
        passed = asyncio.run(_main(run, stay=not once))
    raise typer.Exit(exit_codes.OK if passed else exit_codes.FAILED)


async def _main(run: Demo, stay: bool) -> bool:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await run.run(stop, stay)


def settings_for(given: Settings, stay: bool) -> Settings:
    """Quick retries, and ports that are free: if the hub stays up the usual ones as far as nobody has them, so that
    other commands find it. What the caller has set himself stays."""
    wanted: dict[str, dict[str, object]] = {
        "observe": {"port_base": 0},
        "delivery": {"retry_base_s": 0.2, "retry_cap_s": 5.0},
    }
    for name, host in (("embedded", "127.0.0.1"), ("registry", given.registry.host), ("gateway", given.gateway.host),
                       ("console", given.console.host)):  # fmt: skip
        usual = getattr(given, name).port
        wanted[name] = {"port": usual if stay and _is_free(host, usual) else free_port()}
    sections: dict[str, object] = {name: _unless_set(getattr(given, name), new) for name, new in wanted.items()}
    return given.model_copy(update=sections | {"inbound": INBOUND | given.inbound})


def _unless_set(section: BaseModel, new: dict[str, object]) -> BaseModel:
    return section.model_copy(update={k: v for k, v in new.items() if k not in section.model_fields_set})


def _is_free(host: str, port: int) -> bool:
    from hub.observe.server import listen

    try:
        listen(host, port).close()
    except StartError:
        return False
    return True


def _lock(folder: Path) -> IO[str]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f"{folder.name}.lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StartError(f"another demo runs on {folder}; stop it, or give another --data-dir") from None
    return lock


def _fresh(folder: Path) -> None:
    """An empty folder; ConfigError for one that holds something the demo did not make."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise ConfigError("--data-dir", f"{folder} is not a demo's folder and is not empty; give another")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
