"""`hub audit list`: what operators did, and what was refused."""

from __future__ import annotations

import shutil
import textwrap
from typing import Annotated, get_args

import typer

from hub.cli import calls, output
from hub.control.audit import AuditEntry, Result
from hub.errors import ConfigError

app = typer.Typer(add_completion=False, no_args_is_help=True)

RESULTS: tuple[Result, ...] = get_args(Result)


@app.callback()
def audit() -> None:
    """What operators did, and what was refused."""


@app.command("list")
def list_entries(
    who: Annotated[str, typer.Option(help="a part of the name")] = "",
    action: Annotated[str, typer.Option(help="as subscriber.pause, or subscriber. for all of them")] = "",
    target: Annotated[str, typer.Option(help="a part of KIND/NAME, as subscriber/national")] = "",
    result: Annotated[str, typer.Option(help=", ".join(RESULTS))] = "",
    since: Annotated[str, typer.Option(help="90m, 24h, 7d, or a time")] = "",
    until: Annotated[str, typer.Option(help="the same; what is at or after it is left out")] = "",
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the newest first")] = 50,
    as_json: output.Json = False,
) -> None:
    """Entries by filter, the newest first; each act once."""
    if result and result not in RESULTS:
        raise ConfigError("--result", f"{result!r} is none of {', '.join(RESULTS)}")
    wanted = {"who": who, "action": action, "target": target, "result": result, "since": since, "until": until}
    found = calls.call("audit.list", wanted | {"limit": limit})
    if as_json:
        output.print_json(found)
        return
    for entry in found:
        _print(AuditEntry.model_validate(entry))
    print(f"{len(found)} entries" + (", more may be there (--limit)" if len(found) == limit else ""))


def _print(entry: AuditEntry) -> None:
    """Some short lines each: a table of nine columns fits no terminal."""
    moment = entry.at.astimezone().isoformat(sep=" ", timespec="seconds")
    _say(f"{moment}  {entry.result:8}{entry.action}  {entry.target}", "")
    _say(f"{entry.who} ({entry.role}{', ' + entry.where if entry.where else ''})")
    for name in ("detail", "why", "reason"):
        if text := getattr(entry, name):
            _say(f"{name}: {text}")


def _say(text: str, indent: str = "    ") -> None:
    width = shutil.get_terminal_size().columns
    print(textwrap.fill(text, width, initial_indent=indent, subsequent_indent="      "))
