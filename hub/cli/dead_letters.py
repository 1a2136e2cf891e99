"""`hub dead-letters list|show|replay|skip`: what could not be used, why, and sending it back.

Exit codes: 0 done, 1 nothing found or some letters cannot go back, 2 wrong usage; others as in hub.exit_codes.
"""

from __future__ import annotations

from typing import Annotated

import typer

from hub import exit_codes
from hub.admin.acts.journal import ActRecord
from hub.cli import calls, output
from hub.deadletter.reasons import STAGES
from hub.errors import ConfigError
from hub.untyped import JsonObject, SettingsTable

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
Rate = Annotated[float | None, typer.Option(help="at most so many letters a second")]
Resume = Annotated[str, typer.Option(help="go on with an act that was cancelled or interrupted: its id")]
Everything = Annotated[bool, typer.Option("--all", help="needed when neither ids nor a filter are given")]


def _letters(
    ids: list[str] | None, stage: str, reason: str, subscriber: str, since: str, dossier: str
) -> SettingsTable:
    """The filter in the words of the act."""
    return {"ids": ids or [], "stage": stage, "reason": reason, "subscriber": subscriber, "since": since,
            "dossier": dossier}  # fmt: skip


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
    wanted = _letters(None, stage, reason, subscriber, since, dossier) | {"closed": closed}
    if counts:
        _print_counts(calls.call("dead-letters.counts", wanted), as_json)
        return
    rows = calls.call("dead-letters.list", wanted | {"limit": limit})
    if as_json:
        output.print_json(rows)
        return
    for row in rows:
        where = f"{row['stage']}/{row['reason']}" + (f" {row['subscriber']}" if row["subscriber"] else "")
        print(f"{row['id']}  {row['at'][:19]}Z  {where}  {row['key']}")
        print(f"    {row['detail']}" + (f"  [{row['state']}]" if row["state"] != "open" else ""))
    print(f"{len(rows)} dead letters" + (", more may be there (--limit)" if len(rows) == limit else ""))


def _print_counts(found: list[JsonObject], as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    rows = [(row["stage"], row["reason"], row["count"]) for row in found]
    output.print_table(f"{sum(row['count'] for row in found)} dead letters", ("stage", "reason", "count"), rows)


@app.command("show")
def show_letter(
    id: Annotated[str, typer.Argument(help="as `list` shows it")],
    reveal: Annotated[bool, typer.Option("--reveal", help="personal data in clear; goes into the audit")] = False,
    why: Why = "",
    as_json: output.Json = False,
) -> None:
    """One dead letter: reason, origin, headers, and its content with personal data hidden."""
    found = calls.call("dead-letters.reveal" if reveal else "dead-letters.show", {"id": id}, why)
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
    dossier: Dossier = "", everything: Everything = False, again: Again = False, rate: Rate = None,
    resume: Resume = "", dry_run: DryRun = False, yes: Yes = False, why: Why = "", as_json: output.Json = False,
) -> None:  # fmt: skip
    """Send dead letters back: to hub.ingress, or to the subscriber that could not take them."""
    wanted = _letters(ids, stage, reason, subscriber, since, dossier) | {
        "all": everything,
        "again": again,
        "rate": rate,
    }
    _back("replay", wanted, why, resume, dry_run, yes, as_json)


@app.command()
def skip(
    ids: Ids = None, stage: Stage = "", reason: Reason = "", subscriber: Subscriber = "", since: Since = "",
    dossier: Dossier = "", everything: Everything = False, again: Again = False, rate: Rate = None,
    resume: Resume = "", dry_run: DryRun = False, yes: Yes = False, why: Why = "", as_json: output.Json = False,
) -> None:  # fmt: skip
    """Give undelivered events up, so that what waits behind them in their dossier goes on."""
    wanted = _letters(ids, stage, reason, subscriber, since, dossier) | {
        "all": everything,
        "again": again,
        "rate": rate,
    }
    _back("skip", wanted, why, resume, dry_run, yes, as_json)


def _back(action: str, wanted: SettingsTable, why: str, resume: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Tells what would be done, asks, does it; or goes on with what was cancelled or interrupted."""
    act = f"dead-letters.{action}"
    if not resume:
        found = calls.preview(act, wanted)
        total = sum(row["count"] for row in found["sent"])
        if dry_run or not total:
            _report(action, found, as_json, done=False)
        if not yes:
            if as_json:
                raise ConfigError("--yes", "with --json nobody is asked: say --yes, or --dry-run")
            _tell(f"would {action}", found)
            typer.confirm(f"{action} {total} dead letters?", abort=True)
    ended = calls.long(act, wanted, why, resume)
    _report(action, ended.tally.document(), as_json, done=True, record=ended)


def _report(action: str, found: JsonObject, as_json: bool, done: bool, record: ActRecord | None = None) -> None:
    """Ends the command: 1 if nothing was found or some letters cannot go back."""
    if as_json:
        told = {} if record is None else {"id": record.id, "state": record.state}
        output.print_json({"action": action, "done": done, **found, **told})
    else:
        _tell(f"{action}: sent" if done else f"would {action}", found)
    if record is not None and record.state != "done":
        raise typer.Exit(calls.code_of(record))
    raise typer.Exit(exit_codes.FAILED if found["refused_count"] or not found["sent"] else exit_codes.OK)


def _tell(title: str, found: JsonObject) -> None:
    rows = [(row["stage"], row["reason"], row["count"]) for row in found["sent"]]
    output.print_table(f"{title} {sum(row['count'] for row in found['sent'])}", ("stage", "reason", "count"), rows)
    if found["closed"]:
        print(f"{found['closed']} were replayed or skipped before and are left out (--again)")
    if found["refused_count"]:
        output.print_table(f"{found['refused_count']} stay", ("id", "because"), list(found["refused"].items()))
