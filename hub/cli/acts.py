"""`hub acts list|show|cancel|resume`: long acts of operators, wherever they are carried out."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import calls, output

app = typer.Typer(add_completion=False, no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="as `list` shows it")]
Why = Annotated[str, typer.Option(help="the reason, for the audit")]


@app.command("list")
def list_all(as_json: output.Json = False) -> None:
    """Those of the last month, the newest first."""
    found = calls.call("act.list", {})
    if as_json:
        output.print_json(found)
        return
    rows = [(a["id"], a["act"], a["state"], f"{a['done']} of {a['total']}", a["who"], a["began"][:19]) for a in found]
    output.print_table("Long acts", ("id", "act", "state", "done", "who", "began (UTC)"), rows)


@app.command()
def show(id: Id, as_json: output.Json = False) -> None:
    """One: state, done, total, rate, result."""
    found = calls.call("act.show", {"id": id})
    if as_json:
        output.print_json(found)
        return
    for field, value in found.items():
        print(f"{field + ':':10} {value}")


@app.command()
def cancel(id: Id, why: Why = "", as_json: output.Json = False) -> None:
    """Ends it between two chunks, wherever it is carried out."""
    found = calls.call("act.cancel", {"id": id}, why)
    if as_json:
        output.print_json(found)
    else:
        print(f"{id} is cancelled after {found['done']} of {found['total']}; go on with: hub acts resume {id}")


@app.command()
def resume(id: Id, why: Why = "", as_json: output.Json = False) -> None:
    """Goes on with one that was cancelled or interrupted, from where it stands, here."""
    ended = calls.long("act.resume", {}, why, resume=id)
    if as_json:
        output.print_json(ended.document())
    else:
        print(f"{ended.act}: {ended.state}, {ended.done} of {ended.total}")
    raise typer.Exit(calls.code_of(ended))
