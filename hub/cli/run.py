"""`hub run ROLE`: one role in this process, until SIGTERM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub import config
from hub.supervisor import run_role

app = typer.Typer(add_completion=False)


@app.command()
def run(
    role: Annotated[str, typer.Argument(help="core, gateway, deliver:national …; a wrong name lists them all")],
    log_file: Annotated[Path | None, typer.Option(help="log there (3 x 10 MB) instead of to stderr")] = None,
) -> None:
    """Run one role. SIGTERM or Ctrl-C: it stops fetching, finishes or parks, commits, and ends with 0."""
    raise typer.Exit(run_role.run(role, config.load(), log_file))
