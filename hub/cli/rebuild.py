"""`hub rebuild`: the read model anew from Kafka, beside the old one, then swapped."""

from __future__ import annotations

import typer

from hub.cli import calls, output

app = typer.Typer()


@app.command()
def rebuild(as_json: bool = typer.Option(False, "--json", help="machine-readable result")) -> None:
    """Build the read model anew from Kafka beside the old one, then swap. Pages keep working meanwhile."""
    ended = calls.long("rebuild", {})
    result = ended.tally.numbers
    if as_json:
        output.print_json(result)
    elif ended.state == "done":
        read, generation = int(result["records"]), int(result["generation"])
        print(f"read model rebuilt: {read:,} records in {result['seconds']} s, now generation {generation}")
    raise typer.Exit(calls.code_of(ended))
