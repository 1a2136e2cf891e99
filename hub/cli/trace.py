"""`hub trace CODE`: one dossier's way through every hop, in time order."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from hub import config, exit_codes
from hub.admin.trace import Hop, trace
from hub.cli import output
from hub.config import Settings

app = typer.Typer(add_completion=False)


@app.command("trace")
def show(
    code: Annotated[str, typer.Argument(help="dossier, procedure or service code, as it is the record's key")],
    days: Annotated[float | None, typer.Option(help="look back only so far; without it, all that Kafka keeps")] = None,
    as_json: output.Json = False,
) -> None:
    """Show what happened to one dossier: accepted, canonical, each delivery attempt, requests, dead letters.

    Exit code 1 if nothing is known of it, 75 if Kafka is away.
    """
    since = None if days is None else int((time.time() - days * 86_400) * 1000)
    hops = asyncio.run(_read(config.load(), code, since))
    if as_json:
        output.print_json([asdict(hop) for hop in hops])
    elif hops:
        output.print_table(f"Way of {code}", ("time", "hop", "what", "detail", "where"), map(_row, hops))
    else:
        print(f"nothing is known of {code}; is it written as the agency sends it?")
    raise typer.Exit(exit_codes.OK if hops else exit_codes.FAILED)


async def _read(settings: Settings, code: str, since: int | None) -> list[Hop]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("reading Kafka", total=None)
        return await trace(settings, code, since, lambda done, total: progress.update(bar, completed=done, total=total))


def _row(hop: Hop) -> tuple[object, ...]:
    moment = datetime.fromtimestamp(hop.at_ms / 1000).astimezone()
    where = f"{hop.partition}/{hop.offset}"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{hop.at_ms % 1000:03d}", hop.topic, hop.what, hop.detail, where
