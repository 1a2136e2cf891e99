"""`hub rebuild`: the read model anew from Kafka, beside the old one, then swapped."""

from __future__ import annotations

import asyncio
import json
import time

import typer
from rich.console import Console

from hub.config import load
from hub.projector.projector import rebuild
from hub.readmodel.database import open_engine
from hub.registry.client import open_codec


def command(as_json: bool = typer.Option(False, "--json", help="machine-readable result")) -> None:
    """Build the read model anew from Kafka beside the old one, then swap. Pages keep working meanwhile."""
    console = Console(stderr=True)
    started = time.monotonic()

    async def work() -> tuple[int, int]:
        settings = load()
        codec = await open_codec(settings)
        engine = open_engine(settings)
        try:
            with console.status("reading Kafka from its beginning …") as status:
                return await rebuild(settings, engine, codec, lambda n: status.update(f"{n:,} records projected"))
        finally:
            engine.dispose()

    generation, read = asyncio.run(work())
    result = {"generation": generation, "records": read, "seconds": round(time.monotonic() - started, 2)}
    if as_json:
        print(json.dumps(result))
    else:
        print(f"read model rebuilt: {read:,} records in {result['seconds']} s, now generation {generation}")


app = typer.Typer()
app.command(name="rebuild")(command)
