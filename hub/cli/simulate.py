"""`hub simulate NAME`: an outside system's simulator, found by entry point (group `hub.simulators`)."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated

import typer

from hub.control import renamed
from hub.errors import ConfigError

app = typer.Typer(add_completion=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def simulate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="which; all else goes to the simulator")] = "",
) -> None:
    """Run a simulator; its own options follow its name (`hub simulate national-portal --help`)."""
    known = {point.name: point for point in entry_points(group="hub.simulators")}
    if name in ("", "-h", "--help"):
        print("usage: hub simulate NAME [OPTIONS]\n\nsimulators: " + ", ".join(sorted(known)))
        raise typer.Exit(0 if name else 2)
    name = renamed.kind(name)
    if name not in known:
        raise ConfigError("name", f"there is no simulator {name!r}; there are {', '.join(sorted(known))}")
    known[name].load()(context.args)
