"""`hub satisfaction SUBSCRIBER --month 2026-10`: ratings of a month, summed up and sent to a portal that takes them.

Exit codes: 0 sent; 1 the portal has no call for it, refused it, or nobody rated; 75 the portal is away.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Annotated

import typer

from hub import config, exit_codes
from hub.cli import output
from hub.config import Settings
from hub.connect.portal import make_portal
from hub.connect.satisfaction import Satisfaction, send
from hub.control.directory import directory
from hub.control.records import Subscriber
from hub.control.vault import vault
from hub.errors import ConfigError
from hub.readmodel.database import open_engine
from hub.reports.satisfaction import read

app = typer.Typer(add_completion=False)


@app.command()
def satisfaction(
    subscriber: Annotated[str, typer.Argument(help="a portal, by its name as subscriber")],
    month: Annotated[str, typer.Option(help="as 2026-10")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only tell what would be sent")] = False,
    as_json: output.Json = False,
) -> None:
    """Sum up the ratings of a month from the read model and send them (at the national portal: DongBoDanhGia)."""
    settings = config.load()
    told = _read(settings, month)
    if as_json:
        output.print_json(asdict(told) | {"total": told.total})
    else:
        stars = ", ".join(f"{count} of {star} stars" for star, count in enumerate(told.counts, 1) if count)
        print(f"{month}: {told.total} ratings{': ' if stars else ''}{stars}")
    if dry_run:
        return
    if not told.total:
        print("nobody rated; nothing is sent")
        raise typer.Exit(exit_codes.FAILED)
    answer = asyncio.run(_send(settings, subscriber, told))
    if answer is None:
        print(f"{subscriber} has no call for satisfaction")
        raise typer.Exit(exit_codes.FAILED)


def _read(settings: Settings, month: str) -> Satisfaction:
    engine = open_engine(settings)
    try:
        return read(engine, month, int(time.time() * 1000))
    finally:
        engine.dispose()


async def _send(settings: Settings, name: str, told: Satisfaction) -> object:
    return await send(make_portal(await _subscriber(settings, name), vault(settings)), told)


async def _subscriber(settings: Settings, name: str) -> Subscriber:
    async with directory(settings) as copy:
        found = copy.subscribers.get(name)
    if found is None:
        raise ConfigError("subscriber", f"there is no subscriber {name!r}; see `hub subscribers list`")
    return found
