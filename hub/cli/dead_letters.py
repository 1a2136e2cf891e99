"""`hub dead-letters list|show|replay|skip`: what could not be used, why, and sending it back.

Exit codes: 0 done, 1 nothing found or some letters cannot go back, 2 wrong usage; others as in hub.runtime.exits.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated

import typer

from hub import config
from hub.access import audit
from hub.access.directory import write
from hub.cli import output
from hub.cli.since import since_ms
from hub.config import Settings
from hub.deadletter import browse, show
from hub.deadletter.browse import Filter
from hub.deadletter.reasons import REASONS, STAGES
from hub.deadletter.record import DeadLetter
from hub.deadletter.replay import Action, Report, send_back
from hub.errors import ConfigError
from hub.runtime import exits
from hub.wire.registry import open_codec

app = typer.Typer(add_completion=False, no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(help="ids, as `list` shows them")]
Stage = Annotated[str, typer.Option(help=", ".join(STAGES))]
Reason = Annotated[str, typer.Option(help="a word as `list --counts` shows it")]
Subscriber = Annotated[str, typer.Option(help="only what was not delivered to this one")]
Since = Annotated[str, typer.Option(help="90m, 24h, 7d, or a time")]
Dossier = Annotated[str, typer.Option(help="dossier, procedure or service code")]
Why = Annotated[str, typer.Option(help="the reason, for the audit")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only tell what would be done")]
Everything = Annotated[bool, typer.Option("--all", help="needed when neither ids nor a filter are given")]


def _filter(ids: list[str] | None, stage: str, reason: str, subscriber: str, since: str, dossier: str) -> Filter:
    for name, word, known in (("--stage", stage, STAGES), ("--reason", reason, REASONS)):
        if word and word not in known:
            raise ConfigError(name, f"{word!r} is none of {', '.join(known)}")
    return Filter(frozenset(ids or ()), stage, reason, subscriber, dossier, since_ms(since))


@app.command("list")
def list_letters(
    stage: Stage = "",
    reason: Reason = "",
    subscriber: Subscriber = "",
    since: Since = "",
    dossier: Dossier = "",
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the newest first")] = 50,
    counts: Annotated[bool, typer.Option("--counts", help="only how many, by stage and reason")] = False,
    as_json: output.Json = False,
) -> None:
    """Dead letters by filter, the newest first."""
    settings, wanted = config.load(), _filter(None, stage, reason, subscriber, since, dossier)
    if counts:
        _print_counts(asyncio.run(browse.counts(settings, wanted)), as_json)
        return
    rows = [show.summary(letter) for letter in asyncio.run(browse.newest(settings, wanted, limit))]
    if as_json:
        output.print_json(rows)
    elif rows:
        columns = ("id", "at", "stage", "reason", "key", "subscriber", "detail")
        output.print_table("Dead letters", columns, [[row[c] for c in columns] for row in rows])
    else:
        print("no dead letters")


def _print_counts(counts: Counter[tuple[str, str]], as_json: bool) -> None:
    rows = [(stage, reason, number) for (stage, reason), number in counts.most_common()]
    if as_json:
        output.print_json([{"stage": s, "reason": r, "count": n} for s, r, n in rows])
    else:
        output.print_table(f"{counts.total()} dead letters", ("stage", "reason", "count"), rows)


@app.command("show")
def show_letter(
    id: Annotated[str, typer.Argument(help="as `list` shows it")],
    reveal: Annotated[bool, typer.Option("--reveal", help="personal data in clear; goes into the audit")] = False,
    why: Why = "",
    as_json: output.Json = False,
) -> None:
    """One dead letter: reason, origin, headers, and its content with personal data hidden."""
    settings = config.load()

    async def read() -> dict[str, object]:
        letter: DeadLetter = await browse.one(settings, id)
        codec = await open_codec(settings)
        if reveal:
            await write(settings, audit.entry(audit.this_operator(), "dead-letters.reveal", id, why))
        return show.document(letter, codec, reveal)

    found = asyncio.run(read())
    if as_json:
        output.print_json(found)
        return
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name}:")
            output.print_json(value)
        elif value:
            print(f"{name + ':':14} {value}")


@app.command()
def replay(
    ids: Ids = None, stage: Stage = "", reason: Reason = "", subscriber: Subscriber = "", since: Since = "",
    dossier: Dossier = "", everything: Everything = False, dry_run: DryRun = False, yes: Yes = False, why: Why = "",
    as_json: output.Json = False,
) -> None:  # fmt: skip
    """Send dead letters back: to hub.ingress, or to the subscriber that could not take them."""
    _act("replay", _filter(ids, stage, reason, subscriber, since, dossier), everything, dry_run, yes, why, as_json)


@app.command()
def skip(
    ids: Ids = None, stage: Stage = "", reason: Reason = "", subscriber: Subscriber = "", since: Since = "",
    dossier: Dossier = "", everything: Everything = False, dry_run: DryRun = False, yes: Yes = False, why: Why = "",
    as_json: output.Json = False,
) -> None:  # fmt: skip
    """Give undelivered events up, so that what waits behind them in their dossier goes on."""
    _act("skip", _filter(ids, stage, reason, subscriber, since, dossier), everything, dry_run, yes, why, as_json)


def _act(action: Action, wanted: Filter, everything: bool, dry_run: bool, yes: bool, why: str, as_json: bool) -> None:
    """Tells what would be done, asks, does it."""
    if wanted.empty and not everything:
        raise ConfigError("filter", f"give ids or a filter, or say --all to {action} every dead letter")
    settings, who = config.load(), audit.this_operator()
    preview = asyncio.run(_send(settings, wanted, action, who, why, rehearse=True))
    if dry_run or not preview.total:
        _report(action, preview, as_json, done=False)
    if not yes:
        if as_json:
            raise ConfigError("--yes", "with --json nobody is asked: say --yes, or --dry-run")
        _tell(f"would {action}", preview)
        typer.confirm(f"{action} {preview.total} dead letters?", abort=True)
    _report(action, asyncio.run(_send(settings, wanted, action, who, why, rehearse=False)), as_json, done=True)


async def _send(settings: Settings, wanted: Filter, action: Action, who: str, why: str, rehearse: bool) -> Report:
    codec = await open_codec(settings)
    return await send_back(settings, codec, wanted, action, who, why, rehearse=rehearse)


def _report(action: Action, report: Report, as_json: bool, done: bool) -> None:
    """Ends the command: 1 if nothing was found or some letters cannot go back."""
    if as_json:
        sent = [{"stage": s, "reason": r, "count": n} for (s, r), n in report.sent.items()]
        output.print_json({"action": action, "done": done, "sent": sent, "refused": report.refused})
    else:
        _tell(f"{action}: sent" if done else f"would {action}", report)
    raise typer.Exit(exits.FAILED if report.refused or not report.total else exits.OK)


def _tell(title: str, report: Report) -> None:
    rows = [(stage, reason, number) for (stage, reason), number in report.sent.most_common()]
    output.print_table(f"{title} {report.total}", ("stage", "reason", "count"), rows)
    if report.refused:
        output.print_table(f"{len(report.refused)} stay", ("id", "because"), list(report.refused.items()))
