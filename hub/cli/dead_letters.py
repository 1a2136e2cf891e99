"""`hub dead-letters list|show|replay|skip`: what could not be used, why, and sending it back.

Exit codes: 0 done, 1 nothing found or some letters cannot go back, 2 wrong usage; others as in hub.exit_codes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Annotated

import typer

from hub import config, exit_codes
from hub.admin import letter_list
from hub.admin.replay import Action, Report, send_back
from hub.cli import output
from hub.admin.since import since_ms
from hub.config import Settings
from hub.control import audit
from hub.control.audit import Target, acting
from hub.deadletter import browse, masked_view
from hub.deadletter.filters import Filter
from hub.deadletter.reasons import REASONS, STAGES
from hub.errors import ConfigError
from hub.registry.client import open_codec

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
Again = Annotated[bool, typer.Option("--again", help="also those that were replayed or skipped before")]
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
    closed: Annotated[bool, typer.Option("--closed", help="also those that were replayed or skipped")] = False,
    as_json: output.Json = False,
) -> None:
    """Open dead letters by filter, the newest first."""
    settings, wanted = config.load(), _filter(None, stage, reason, subscriber, since, dossier)
    if counts:
        _print_counts(asyncio.run(letter_list.counts(settings, wanted, closed)), as_json)
        return
    found = asyncio.run(letter_list.newest(settings, wanted, limit, closed))
    rows = [letter_list.row(one) for one in found]
    if as_json:
        output.print_json(rows)
        return
    for row in rows:
        where = f"{row['stage']}/{row['reason']}" + (f" {row['subscriber']}" if row["subscriber"] else "")
        print(f"{row['id']}  {row['at'][:19]}Z  {where}  {row['key']}")
        print(f"    {row['detail']}" + (f"  [{row['state']}]" if row["state"] != "open" else ""))
    print(f"{len(rows)} dead letters" + (", more may be there (--limit)" if len(rows) == limit else ""))


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
        if not reveal:
            return masked_view.document(await browse.one(settings, id), await open_codec(settings), reveal)
        target = Target(kind="dead-letters", name=id)
        async with acting(settings, audit.this_operator(why), "dead-letters.reveal", target) as act:
            found = masked_view.document(await browse.one(settings, id), await open_codec(settings), reveal)
            await audit.record(settings, act.done())  # before anything is shown
        return found

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
    dossier: Dossier = "", everything: Everything = False, again: Again = False, dry_run: DryRun = False,
    yes: Yes = False, why: Why = "", as_json: output.Json = False,
) -> None:  # fmt: skip
    """Send dead letters back: to hub.ingress, or to the subscriber that could not take them."""
    wanted = _filter(ids, stage, reason, subscriber, since, dossier)
    _act(Call("replay", wanted, why, again), everything, dry_run, yes, as_json)


@app.command()
def skip(
    ids: Ids = None, stage: Stage = "", reason: Reason = "", subscriber: Subscriber = "", since: Since = "",
    dossier: Dossier = "", everything: Everything = False, again: Again = False, dry_run: DryRun = False,
    yes: Yes = False, why: Why = "", as_json: output.Json = False,
) -> None:  # fmt: skip
    """Give undelivered events up, so that what waits behind them in their dossier goes on."""
    wanted = _filter(ids, stage, reason, subscriber, since, dossier)
    _act(Call("skip", wanted, why, again), everything, dry_run, yes, as_json)


@dataclass(frozen=True)
class Call:
    """What the operator asks for."""

    action: Action
    wanted: Filter
    why: str
    again: bool

    def send(self, settings: Settings, rehearse: bool) -> Report:
        """Carries it out, or only tells what would follow."""

        async def send() -> Report:
            codec, by = await open_codec(settings), audit.this_operator(self.why)
            return await send_back(settings, codec, self.wanted, self.action, by, again=self.again, rehearse=rehearse)

        return asyncio.run(send())


def _act(call: Call, everything: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Tells what would be done, asks, does it."""
    if call.wanted.empty and not everything:
        raise ConfigError("filter", f"give ids or a filter, or say --all to {call.action} every dead letter")
    settings = config.load()
    preview = call.send(settings, rehearse=True)
    if dry_run or not preview.total:
        _report(call.action, preview, as_json, done=False)
    if not yes:
        if as_json:
            raise ConfigError("--yes", "with --json nobody is asked: say --yes, or --dry-run")
        _tell(f"would {call.action}", preview)
        typer.confirm(f"{call.action} {preview.total} dead letters?", abort=True)
    _report(call.action, call.send(settings, rehearse=False), as_json, done=True)


def _report(action: Action, report: Report, as_json: bool, done: bool) -> None:
    """Ends the command: 1 if nothing was found or some letters cannot go back."""
    if as_json:
        sent = [{"stage": s, "reason": r, "count": n} for (s, r), n in report.sent.items()]
        told = {"action": action, "done": done, "sent": sent, "refused": report.refused, "closed": report.closed}
        output.print_json(told)
    else:
        _tell(f"{action}: sent" if done else f"would {action}", report)
    raise typer.Exit(exit_codes.FAILED if report.refused or not report.total else exit_codes.OK)


def _tell(title: str, report: Report) -> None:
    rows = [(stage, reason, number) for (stage, reason), number in report.sent.most_common()]
    output.print_table(f"{title} {report.total}", ("stage", "reason", "count"), rows)
    if report.closed:
        print(f"{report.closed} were replayed or skipped before and are left out (--again)")
    if report.refused:
        output.print_table(f"{len(report.refused)} stay", ("id", "because"), list(report.refused.items()))
