"""`hub secrets init|status|seal|rotate-key|drop-old-keys`: the hub's own key, and what it seals (docs/secrets.md)."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from hub import config, exit_codes
from hub.admin import secret_keys
from hub.cli import output
from hub.control import audit

app = typer.Typer(add_completion=False, no_args_is_help=True)

Why = Annotated[str, typer.Option(help="the reason, for the audit")]


@app.command()
def init(as_json: output.Json = False) -> None:
    """Make the key, unless there is one, and seal what stands in clear in hub.control."""
    settings = config.load()
    _tell(asyncio.run(secret_keys.init(settings, audit.this_operator())), as_json)


@app.command()
def status(as_json: output.Json = False) -> None:
    """How each secret stands; exit code 1 if one stands in clear or does not open."""
    found = asyncio.run(secret_keys.standing(config.load()))
    if as_json:
        output.print_json([asdict(one) for one in found])
    else:
        rows = [(s.subscriber, s.name, s.how, s.key, "opens" if s.opens else s.why) for s in found]
        output.print_table("Secrets of subscribers", ("subscriber", "secret", "stands", "key", "here"), rows)
    if any(not one.opens or one.how == "clear" for one in found):
        raise typer.Exit(exit_codes.FAILED)


@app.command()
def seal(why: Why = "", as_json: output.Json = False) -> None:
    """Seal with the present key what stands in clear, or under an older key."""
    _tell(asyncio.run(secret_keys.seal(config.load(), audit.this_operator(why))), as_json)


@app.command("rotate-key")
def rotate_key(why: Why = "", as_json: output.Json = False) -> None:
    """A new key; everything is sealed with it. The old one stays in the file until `drop-old-keys`."""
    key, sealed = asyncio.run(secret_keys.rotate(config.load(), audit.this_operator(why)))
    if as_json:
        output.print_json({"key": key, "sealed": sealed})
    else:
        print(f"key {key} seals {len(sealed)} subscribers; copy the key file to the hub's other machines,")
        print("then `hub secrets drop-old-keys`")


@app.command("drop-old-keys")
def drop_old_keys(as_json: output.Json = False) -> None:
    """Take the keys out of the file that no secret needs any more."""
    gone = asyncio.run(secret_keys.drop_old(config.load()))
    if as_json:
        output.print_json({"dropped": gone})
    else:
        print(f"dropped: {', '.join(gone) or 'none'}")


def _tell(sealed: list[str], as_json: bool) -> None:
    if as_json:
        output.print_json({"sealed": sealed})
    else:
        print(f"sealed: {', '.join(sealed) or 'nothing stood in clear'}")
