"""`hub catalogue`: the national list of procedures against what the province publishes, and what is offered online.

Exit codes: 0 done, for `compare` no difference; 1 some, or nothing to compare with; others as in hub.exit_codes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from hub import config, exit_codes
from hub.cli import output
from hub.config import Settings
from hub.readmodel.database import open_engine
from hub.reconcile.catalogue import KINDS, Side, compare
from hub.reconcile.catalogue_sides import read_sides
from hub.reports import online_coverage as figures
from hub.reports.online_coverage import Coverage, Line

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
    raise typer.Exit(exit_codes.FAILED if found or not reference.procedures else exit_codes.OK)


@app.command()
def coverage(
    lines: Annotated[
        bool, typer.Option("--lines", help="each procedure: level, kind, portals, since when, use")
    ] = False,
    as_json: output.Json = False,
) -> None:
    """What is offered online and how much it is used, from the read model as it stands now."""
    engine = open_engine(config.load())
    try:
        found = figures.read(engine)
    finally:
        engine.dispose()
    if as_json:
        output.print_json(asdict(found))
        return
    output.print_table("Online services", ("figure", "value"), _figures(found))
    if lines:
        columns = ("code", "name", "level", "kind", "portals", "since", "dossiers", "online")
        output.print_table("Procedures", columns, [_cells(line) for line in found.lines])


def _figures(found: Coverage) -> list[tuple[str, object]]:
    counts = (("level", found.by_level), ("kind", found.by_kind), ("portal", found.by_portal))
    return [
        ("procedures that are public", found.procedures),
        ("of them offered online (QĐ 766, 3.1)", _share(found.offered, found.share_offered)),
        *((f"  {name} {word}", number) for name, told in counts for word, number in told.items()),
        ("services of withdrawn procedures", ", ".join(found.stray) or "none"),
        ("procedures in use that nobody published", len(found.unpublished)),
        ("dossiers", found.dossiers),
        ("of them filed online (QĐ 766, 3.3)", _share(found.online, found.share_online)),
    ]


def _share(number: int, share: float | None) -> str:
    return str(number) if share is None else f"{number} ({share:.1%})"


def _cells(line: Line) -> tuple[object, ...]:
    since = "" if line.since is None else f"{datetime.fromtimestamp(line.since / 1000).astimezone():%Y-%m-%d}"
    why = "" if line.active else "(withdrawn)" if line.published else "(never published)"
    state = f"{line.name} {why}".strip()
    level = "" if line.level is None else line.level
    return (
        line.code,
        state,
        level,
        line.kind or "not online",
        ", ".join(line.portals),
        since,
        line.dossiers,
        line.online,
    )


def _counts(side: Side) -> dict[str, int]:
    return {
        "procedures": len(side.procedures),
        "published": sum(entry.active for entry in side.procedures.values()),
        "services": sum(entry.active for entry in side.services.values()),
    }


async def _read(settings: Settings) -> tuple[Side, Side]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("reading hub.events", total=None)
        return await read_sides(settings, lambda done, total: progress.update(bar, completed=done, total=total))
