"""`hub simulate webhook`: options, start, stop."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hub.control.vault import LOCAL
from hub.errors import ConfigError
from hub_connectors.simulation.app import FaultyApp
from hub_connectors.simulation.command import parser, plan_of
from hub_connectors.simulation.faults import FaultPlan
from hub_connectors.simulation.server import Connections, address, bind, serve_until_signal
from hub_connectors.webhook.simulator.app import WebhookReceiverApp
from hub_connectors.webhook.simulator.ledger import Ledger
from hub_connectors.webhook.simulator.signature import key_of

NAME = "webhook"
DEFAULT_PORT = 18202
PATH = "/webhooks/hub"


def build(
    keys: Sequence[bytes], database: Path | str, plan: FaultPlan, path: str = PATH, tolerance_s: float = 300.0
) -> tuple[FaultyApp, Ledger]:
    """The application with its faults, and the ledger to close after it."""
    ledger = Ledger(database)
    portal = WebhookReceiverApp(ledger, keys, path, tolerance_s)
    return FaultyApp(portal.asgi, plan, Connections()), ledger


def _arguments(args: list[str]) -> argparse.Namespace:
    out = parser(NAME, DEFAULT_PORT, "The province's portal as a receiver of Standard Webhooks, simulated.")
    out.add_argument(
        "--secret",
        action="append",
        default=[],
        help="whsec_… as literal, env:NAME or file:PATH; may stand several times",
    )
    out.add_argument("--unsigned", action="store_true", help="take messages without checking signatures")
    out.add_argument("--path", default=PATH, help="%(default)s")
    out.add_argument("--tolerance-s", type=float, default=300.0, help="age of a message, 0: any (%(default)s s)")
    return out.parse_args(args)


def keys_of(given: argparse.Namespace) -> list[bytes]:
    """The keys to trust; ConfigError when there is none and --unsigned is not said."""
    if not given.secret and not given.unsigned:
        raise ConfigError("--secret", "give the subscriber's signing secret, or --unsigned to check none")
    try:
        return [key_of(LOCAL.resolve(secret, "--secret")) for secret in given.secret]
    except ValueError as error:
        raise ConfigError("--secret", str(error)) from None


def main(args: list[str]) -> None:
    """Serves until SIGTERM; prints the address and the webhook's URL once it listens."""
    given = _arguments(args)
    keys = keys_of(given)
    sock = bind(given.host, given.port)
    app, ledger = build(keys, given.database, plan_of(given), given.path, given.tolerance_s)
    print(f"{NAME} simulator: {address(sock)}", flush=True)
    print(f"url: {address(sock)}{given.path}   database: {given.database}", flush=True)
    try:
        serve_until_signal(app, app.connections, sock, app.let_go)
    finally:
        ledger.close()
