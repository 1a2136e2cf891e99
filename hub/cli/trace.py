"""`hub trace CODE`: one dossier's way through every hop, in time order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from hub import exit_codes
from hub.cli import calls, output
from hub.untyped import JsonObject

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
    with Console(stderr=True).status("reading Kafka"):
        hops = calls.call("trace", {"code": code, "days": days})
    if as_json:
        output.print_json(hops)
    elif hops:
        output.print_table(f"Way of {code}", ("time", "hop", "what", "detail", "where"), map(_row, hops))
    else:
        print(f"nothing is known of {code}; is it written as the agency sends it?")
    raise typer.Exit(exit_codes.OK if hops else exit_codes.FAILED)


def _row(hop: JsonObject) -> tuple[object, ...]:
    moment = datetime.fromtimestamp(hop["at_ms"] / 1000).astimezone()
    where = f"{hop['partition']}/{hop['offset']}"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{hop['at_ms'] % 1000:03d}", hop["topic"], hop["what"], hop["detail"], where
