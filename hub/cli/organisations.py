"""`hub organisations add|list|show|change|rotate-key|remove`: who publishes, and what."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub.admin import organisations
from hub.cli import calls, output
from hub.cli.kafka_user import show as show_user
from hub.events.families import NAMES
from hub.untyped import JsonObject, SettingsTable

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
DryRun = Annotated[bool, typer.Option("--dry-run", help="only tell what would be done")]
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
    made = calls.call("organisation.add", {"name": name} | _given(locals()), why)
    _print_key(name, made["key"], as_json)


@app.command("list")
def list_all(as_json: output.Json = False) -> None:
    """All organisations."""
    found = calls.call("organisation.list", {})
    if as_json:
        output.print_json(found)
        return
    rows = [(o["name"], o["title"], " ".join(o["agencies"]), " ".join(o["sources"]), o["keys"]) for o in found]
    output.print_table("Organisations", ("name", "title", "agencies", "sources", "keys"), rows)


@app.command()
def show(name: Name, as_json: output.Json = False) -> None:
    """One organisation and its rights."""
    _print(calls.call("organisation.show", {"name": name}), as_json)


@app.command()
def change(
    name: Name, title: Title = None, role: Role = None, sources: Sources = None, agencies: Agencies = None,
    families: Families = None, joint: Joint = None, kafka_topic: KafkaTopic = None, dry_run: DryRun = False,
    why: Why = "",
    as_json: output.Json = False,
) -> None:  # fmt: skip
    """Set rights; a list that is given replaces the present one, what is not given stays."""
    wanted = {"name": name} | _given(locals())
    if dry_run:
        output.print_json(calls.preview("organisation.change", wanted))
    else:
        _print(calls.call("organisation.change", wanted, why), as_json)


@app.command("rotate-key")
def rotate_key(
    name: Name,
    overlap_hours: Annotated[float, typer.Option(min=0, help="how long the present keys work on")] = 24.0,
    why: Why = "",
    as_json: output.Json = False,
) -> None:
    """A new API key, printed once."""
    made = calls.call("organisation.rotate-key", {"name": name, "overlap_hours": overlap_hours}, why)
    _print_key(name, made["key"], as_json)


@app.command()
def remove(name: Name, dry_run: DryRun = False, why: Why = "", as_json: output.Json = False) -> None:
    """Remove it: its keys stop working at once; what it published stays."""
    if dry_run:
        output.print_json(calls.preview("organisation.remove", {"name": name}))
        return
    calls.call("organisation.remove", {"name": name}, why)
    if as_json:
        output.print_json({"removed": name})
    else:
        print(f"{name} is removed; its keys no longer work")


@app.command("kafka-user")
def kafka_user(name: Name, why: Why = "", as_json: output.Json = False) -> None:
    """A Kafka user for it, which may write its own topic only; its password is printed once. Again: a new password."""
    show_user(calls.call("organisation.kafka-user", {"name": name}, why), as_json)


def _print_key(name: str, key: str, as_json: bool) -> None:
    if as_json:
        output.print_json({"name": name, "key": key})
    else:
        print(f"API key of {name}, shown only now:\n\n  {key}\n")


def _print(found: JsonObject, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    for field, value in found.items():
        print(f"{field + ':':14} {', '.join(value) if isinstance(value, list) else value}")
