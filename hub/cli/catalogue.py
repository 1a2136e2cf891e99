"""`hub catalogue compare`: the national list of procedures against what the province publishes.

Exit codes: 0 no difference, 1 some, or nothing to compare with; others as in hub.runtime.exits.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict

import typer
from rich.console import Console
from rich.progress import Progress

from hub import config
from hub.cli import output
from hub.config import Settings
from hub.reconcile.catalogue import KINDS, Side, compare
from hub.reconcile.catalogue_sides import read_sides
from hub.runtime import exits

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def catalogue() -> None:
    """Procedures (TTHC) and online services (DVC)."""


@app.command("compare")
def compare_catalogues(as_json: output.Json = False) -> None:
    """Every difference between the reference (reconcile.reference_source) and all other sources together."""
    settings = config.load()
    reference, own = asyncio.run(_read(settings))
    found = compare(reference, own)
    if as_json:
        counts = {"reference": _counts(reference), "own": _counts(own), "kinds": Counter(one.kind for one in found)}
        output.print_json({**counts, "differences": [asdict(one) for one in found]})
    elif not reference.procedures:
        print(f"nothing was published by {settings.reconcile.reference_source}; is source:national-catalogue set up?")
    else:
        rows = [(one.code, one.kind, one.reference, one.own) for one in found]
        output.print_table(f"{len(found)} differences", ("code", "difference", "reference", "province"), rows)
        for kind, number in sorted(Counter(one.kind for one in found).items()):
            print(f"{number:6}  {kind}: {KINDS[kind]}")
    raise typer.Exit(exits.FAILED if found or not reference.procedures else exits.OK)


def _counts(side: Side) -> dict[str, int]:
    return {
        "procedures": len(side.procedures),
        "published": sum(bool(entry["active"]) for entry in side.procedures.values()),
        "services": sum(bool(entry["active"]) for entry in side.services.values()),
    }


async def _read(settings: Settings) -> tuple[Side, Side]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("reading hub.events", total=None)
        return await read_sides(settings, lambda done, total: progress.update(bar, completed=done, total=total))
