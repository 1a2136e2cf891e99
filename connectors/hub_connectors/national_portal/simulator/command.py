"""`hub simulate national-portal`: options, start, stop."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from hub.errors import ConfigError
from hub.untyped import SettingsTable
from hub_connectors.national_portal.simulator.app import FILES, NationalPortalApp
from hub_connectors.national_portal.simulator.ledger import Ledger
from hub_connectors.national_portal.simulator.options import Options, ProgressMode
from hub_connectors.simulation.app import FaultyApp
from hub_connectors.simulation.command import parser, plan_of
from hub_connectors.simulation.faults import FaultPlan
from hub_connectors.simulation.server import Connections, address, bind, serve_until_signal

NAME = "national-portal"
DEFAULT_PORT = 18201
_CHOICES = {"progress_mode": get_args(ProgressMode), "code_form": ("mixed", "number", "string")}


def build(options: Options, database: Path | str, plan: FaultPlan, seed: int = 1) -> tuple[FaultyApp, Ledger]:
    """The application with its faults, and the ledger to close after it."""
    ledger = Ledger(database, options.progress_mode)
    portal = NationalPortalApp(options, ledger, seed)
    return FaultyApp(portal.asgi, plan, Connections(), portal.expire_sessions, FILES), ledger


def _arguments(args: list[str]) -> argparse.Namespace:
    out = parser(NAME, DEFAULT_PORT, "The national public-service portal behind its X-Road style adapter, simulated.")
    for name, field in Options.model_fields.items():
        flag = "--" + name.replace("_", "-")
        about = f"{field.description or ''} ({field.default!r})".strip().replace("%", "%%")
        if isinstance(field.default, bool):
            out.add_argument(flag, action="store_true", help=about)
        else:
            out.add_argument(flag, default=None, choices=_CHOICES.get(name), help=about)
    return out.parse_args(args)


def options_of(given: argparse.Namespace) -> Options:
    """The portal's own options; ConfigError names the wrong one."""
    chosen: SettingsTable = {n: v for n in Options.model_fields if (v := getattr(given, n)) is not None}
    if "exists_codes" in chosen:
        chosen["exists_codes"] = tuple(chosen["exists_codes"].split(","))
    try:
        return Options.model_validate(chosen)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError("--" + str(first["loc"][0]).replace("_", "-"), first["msg"]) from None


def main(args: list[str]) -> None:
    """Serves until SIGTERM; prints the address and the adapter URL once it listens."""
    given = _arguments(args)
    options = options_of(given)
    sock = bind(given.host, given.port)
    app, ledger = build(options, given.database, plan_of(given), given.seed)
    print(f"{NAME} simulator: {address(sock)}", flush=True)
    print(f"adapter_url: {address(sock)}{options.adapter_path}   database: {given.database}", flush=True)
    try:
        serve_until_signal(app, app.connections, sock, app.let_go)
    finally:
        ledger.close()
