"""`hub organisations add|list|show|change|rotate-key|remove`: who publishes, and what."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import typer

from hub import config
from hub.admin import kafka_users, organisations
from hub.cli import output
from hub.cli.kafka_user import show as show_user
from hub.control import audit
from hub.control.records import Organisation
from hub.events.families import NAMES
from hub.untyped import SettingsTable

app = typer.Typer(add_completion=False, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="short name: small letters, digits, '-'")]
Title = Annotated[str | None, typer.Option(help="what people call it")]
Role = Annotated[str | None, typer.Option(hidden=True, help="of earlier versions; without effect")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="a CloudEvents source it may use; repeat")]
Agencies = Annotated[list[str] | None, typer.Option("--agency", help="an agency code it may write, or *; repeat")]
Families = Annotated[list[str] | None, typer.Option("--family", help=f"{', '.join(NAMES)}; repeat")]
Joint = Annotated[bool | None, typer.Option("--joint/--no-joint", help="may write on others' dossiers that it holds")]
KafkaTopic = Annotated[
    bool | None, typer.Option("--kafka-topic/--no-kafka-topic", help="it produces to its own hub.ingress.<name>")
]
Why = Annotated[str, typer.Option(help="the reason, for the audit")]


_RIGHTS = ("title", "sources", "agencies", "families", "joint", "kafka_topic")


def _given(options: Mapping[str, Any]) -> SettingsTable:
    """Picks the options that are rights and were given."""
    if options["role"] is not None:
        print(f"hub organisations: {organisations.NO_ROLE}", file=sys.stderr)
    return {name: options[name] for name in _RIGHTS if options[name] is not None}


@app.command()
def add(
    name: Name, title: Title = None, role: Role = None, sources: Sources = None, agencies: Agencies = None,
    families: Families = None, joint: Joint = None, kafka_topic: KafkaTopic = None, why: Why = "",
    as_json: output.Json = False,
) -> None:  # fmt: skip
    """Add one. Its API key is printed once and stored nowhere."""
    rights = _given(locals())
    wanted = organisations.checked({"name": name} | rights)
    key = asyncio.run(organisations.add(config.load(), wanted, audit.this_operator(why)))
    _print_key(name, key, as_json)


@app.command("list")
def list_all(as_json: output.Json = False) -> None:
    """All organisations."""
    found = asyncio.run(organisations.every(config.load()))
    if as_json:
        output.print_json([organisations.public(o) for o in found])
        return
    rows = [(o.name, o.title, " ".join(o.agencies), " ".join(o.sources), len(o.key_hashes)) for o in found]
    output.print_table("Organisations", ("name", "title", "agencies", "sources", "keys"), rows)


@app.command()
def show(name: Name, as_json: output.Json = False) -> None:
    """One organisation and its rights."""
    _print(asyncio.run(organisations.get(config.load(), name)), as_json)


@app.command()
def change(
    name: Name, title: Title = None, role: Role = None, sources: Sources = None, agencies: Agencies = None,
    families: Families = None, joint: Joint = None, kafka_topic: KafkaTopic = None, why: Why = "",
    as_json: output.Json = False,
) -> None:  # fmt: skip
    """Set rights; a list that is given replaces the present one, what is not given stays."""
    rights = _given(locals())
    _print(asyncio.run(organisations.change(config.load(), name, rights, audit.this_operator(why))), as_json)


@app.command("rotate-key")
def rotate_key(
    name: Name,
    overlap_hours: Annotated[float, typer.Option(min=0, help="how long the present keys work on")] = 24.0,
    why: Why = "",
    as_json: output.Json = False,
) -> None:
    """A new API key, printed once."""
    overlap = timedelta(hours=overlap_hours)
    key, _ = asyncio.run(organisations.rotate_key(config.load(), name, audit.this_operator(why), overlap))
    _print_key(name, key, as_json)


@app.command()
def remove(name: Name, why: Why = "", as_json: output.Json = False) -> None:
    """Remove it: its keys stop working at once; what it published stays."""
    asyncio.run(organisations.remove(config.load(), name, audit.this_operator(why)))
    if as_json:
        output.print_json({"removed": name})
    else:
        print(f"{name} is removed; its keys no longer work")


@app.command("kafka-user")
def kafka_user(name: Name, why: Why = "", as_json: output.Json = False) -> None:
    """A Kafka user for it, which may write its own topic only; its password is printed once. Again: a new password."""
    show_user(asyncio.run(kafka_users.of_agency(config.load(), name, audit.this_operator(why))), as_json)


def _print_key(name: str, key: str, as_json: bool) -> None:
    if as_json:
        output.print_json({"name": name, "key": key})
    else:
        print(f"API key of {name}, shown only now:\n\n  {key}\n")


def _print(organisation: Organisation, as_json: bool) -> None:
    found = organisations.public(organisation)
    if as_json:
        output.print_json(found)
        return
    for field, value in found.items():
        print(f"{field + ':':14} {', '.join(value) if isinstance(value, list) else value}")
