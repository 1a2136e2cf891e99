"""`hub generate`: the events of a made-up province, to a file, the gateway or Kafka."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import output
from hub.config import Settings, load
from hub.errors import ConfigError

if TYPE_CHECKING:
    from hub.demo.generator.event import Event

app = typer.Typer(add_completion=False)
MOST = 5_000_000
AHEAD = timedelta(days=1)
"""The core refuses what claims to have happened later than that."""


class Target(StrEnum):
    file = "file"
    http = "http"
    kafka = "kafka"


@app.command()
def generate(
    count: Annotated[int, typer.Option("--events", min=1_000, max=MOST, help="how many good ones")] = 10_000,
    seed: Annotated[int, typer.Option(min=1, help="the same seed gives the same events")] = 1,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="first day")] = datetime(2026, 1, 5),
    days: Annotated[int, typer.Option(min=7, max=1_000, help="none happens after so many days")] = 300,
    bad: Annotated[int, typer.Option(min=0, help="unusable ones to plant on top")] = 0,
    to: Annotated[Target, typer.Option(help="where they go")] = Target.file,
    out: Annotated[Path, typer.Option(help="the file, or the folder of --per-source")] = Path("events.ndjson"),
    per_source: Annotated[bool, typer.Option("--per-source", help="one file for each agency")] = False,
    url: Annotated[str, typer.Option(help="with --to http: the gateway; empty: that of the settings")] = "",
    key_file: Annotated[Path | None, typer.Option(help="with --to http: file with the API key")] = None,
    list_sources: Annotated[bool, typer.Option("--list-sources", help="print what the key needs, and end")] = False,
    as_json: output.Json = False,
) -> None:  # fmt: skip
    """Generate dossiers with supplements, joint handling, late and doubled events and corrections, in order of arrival.

    Their shape (activities, gaps, due dates, channels, weekdays) is drawn from the sample data. Through the gateway the
    key's organisation needs the right to every source and agency that --list-sources prints.
    """
    from hub.demo.generator import events as generator
    from hub.demo.generator.offices import offices_on
    from hub.model import agencies

    settings = load()
    table = agencies.table(settings.figures.agencies_file)
    wanted = generator.Wanted(seed, count, start.date(), days, bad)
    if not offices_on(table, wanted.start):
        raise ConfigError("start", f"the table of agencies has no office in force on {wanted.start}")
    if list_sources:
        _print_sources(generator.sources(wanted, table))
        return
    if to is not Target.file:
        _refuse_future(wanted.start, days)
    started = time.monotonic()
    with _progress(count + bad) as tick:
        counts = _send(generator.events(wanted, table), settings, to, out, per_source, url, key_file, tick)
    _tell(dict(counts), time.monotonic() - started, as_json)


def _send(
    events: Iterable[Event],
    settings: Settings,
    to: Target,
    out: Path,
    per_source: bool,
    url: str,
    key_file: Path | None,
    tick: Any,
) -> Counter[str]:
    from hub.demo.generator import sinks

    if to is Target.file:
        written = Counter[str]()

        def count(number: int) -> None:
            written["written"] += number
            tick(number)

        sinks.to_file(events, out, per_source, count)
        return written
    if to is Target.kafka:
        return asyncio.run(sinks.to_kafka(events, settings, tick))
    address = url or f"http://{settings.gateway.host}:{settings.gateway.port}"
    return asyncio.run(sinks.to_http(events, address.rstrip("/") + "/v1/events", _key(key_file), tick))


def _key(path: Path | None) -> str:
    if path is None:
        raise ConfigError("--key-file", "is needed with --to http: a file with the organisation's API key")
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("--key-file", f"{path}: {error}") from None


def _refuse_future(start: date, days: int) -> None:
    end = datetime(start.year, start.month, start.day, tzinfo=UTC) + timedelta(days=days)
    if end > datetime.now(UTC) + AHEAD:
        raise ConfigError("--days", f"the last day would be {end.date()}; the core refuses what lies in the future")


def _print_sources(sources: Iterable[tuple[str, str]]) -> None:
    for source, agency in sources:
        print(f"--source {source} --agency {agency}")


def _tell(counts: dict[str, int], seconds: float, as_json: bool) -> None:
    if as_json:
        output.print_json({**counts, "seconds": round(seconds, 2)})
    else:
        said = ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()))
        print(f"{said} in {seconds:.1f} s")


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("events"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("events", total=total)
        yield lambda number: progress.advance(task, number)
