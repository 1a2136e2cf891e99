"""`hub status`: what runs and whether it is ready, each connection, and the whole hub's verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import config, exit_codes
from hub.cli import calls, output
from hub.config import Settings
from hub.untyped import JsonObject

app = typer.Typer(add_completion=False)


@app.command("status")
def show(
    as_json: output.Json = False,
    here: Annotated[bool, typer.Option("--here", help="judge only the roles that run on this machine")] = False,
) -> None:
    """Show roles and connections. Exit code 0 if every role of the plan is ready and every connection is up, 1 if not,
    and what is waited for is named."""
    settings = config.load()
    whole = calls.call("status", {"here": here})
    if as_json:
        output.print_json(whole)
    else:
        _print(whole, settings)
    raise typer.Exit(exit_codes.OK if whole["ok"] else exit_codes.FAILED)


def _print(whole: JsonObject, settings: Settings) -> None:
    if not whole["roles"]:
        print(
            f"no hub runs on {settings.data_dir}"
            + (f"; last: {whole['last_failure']}" if whole["last_failure"] else "")
        )
        return
    rows = [
        (r["role"], "ready" if r.get("ready") else r["state"] if r["state"] != "ready" else "not ready", r["pid"] or "",
         r["starts"] or "", r["reason"] or "; ".join(c for c in r.get("checks", {}).values() if c.startswith("NOT")))
        for r in whole["roles"]
    ]  # fmt: skip
    output.print_table("Roles", ("role", "state", "pid", "starts", "why"), rows)
    if whole["connections"]:
        cells = [
            (x["connection"], "up" if x.get("up") else "DOWN", round(x.get("oldest_undelivered_seconds", 0), 1),
             int(x.get("parked_dossiers", 0)), int(x.get("held_dossiers", 0)))
            for x in whole["connections"]
        ]  # fmt: skip
        output.print_table("Connections", ("connection", "link", "oldest undelivered (s)", "parked", "held"), cells)
    print("the hub is ready" if whole["ok"] else "waits for " + "; ".join(whole["waits_for"]))
