"""`hub subscribers add|list|show|change|pause|resume|rotate-secret|test|waiting|remove`: who receives events."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import exit_codes
from hub.admin import subscribers
from hub.cli import calls, output
from hub.cli.kafka_user import show as show_user
from hub.errors import ConfigError
from hub.untyped import JsonObject, SettingsTable

app = typer.Typer(add_completion=False, no_args_is_help=True)

SECRET_VARIABLE = "HUB_SUBSCRIBER_SECRET"

Name = Annotated[str, typer.Argument(help="short name: small letters, digits, '-'")]
Title = Annotated[str | None, typer.Option(help="what people call it")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="a setting of its connector, NAME=VALUE (JSON or text); repeat")
]
File = Annotated[Path | None, typer.Option("--settings", help="a JSON file with the connector's settings")]
Agencies = Annotated[list[str] | None, typer.Option("--agency", help="only dossiers of this agency and below; repeat")]
Procedures = Annotated[list[str] | None, typer.Option("--procedure", help="only this procedure; repeat")]
Types = Annotated[list[str] | None, typer.Option("--type", help="only this event type or step word; repeat")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only tell what would be done")]
Why = Annotated[str, typer.Option(help="the reason, for the audit")]


@app.command()
def add(
    name: Name,
    kind: Annotated[str, typer.Option(help="connector, as national-portal, webhook, kafka-topic")],
    title: Title = None,
    given: Set = None,
    file: File = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(help=f"NAME=env:VARIABLE, NAME=file:PATH, NAME=VALUE, or NAME: value from {SECRET_VARIABLE}"),
    ] = None,
    agencies: Agencies = None,
    procedures: Procedures = None,
    types: Types = None,
    backfill: Annotated[str, typer.Option(help="state, log or none: what it gets first")] = "state",
    paused: Annotated[bool, typer.Option("--paused", help="add it, deliver nothing yet")] = False,
    why: Why = "",
    as_json: output.Json = False,
) -> None:
    """Add one; the supervisor starts its delivery."""
    values: SettingsTable = {
        "name": name,
        "kind": kind,
        "title": title or "",
        "settings": _settings(file, given),
        "secrets": dict(_secret(text) for text in secret or ()),
        "filter": _filter(agencies, procedures, types),
        "backfill": backfill,
        "paused": paused,
    }
    _print(calls.call("subscriber.add", values, why), as_json)


@app.command("list")
def list_all(as_json: output.Json = False) -> None:
    """All subscribers."""
    found = calls.call("subscriber.list", {})
    if as_json:
        output.print_json(found)
        return
    rows = [
        (s["name"], s["kind"], s["title"], "paused" if s["paused"] else "active", _backfill(s), _words(s["filter"]))
        for s in found
    ]
    output.print_table("Subscribers", ("name", "kind", "title", "state", "backfill", "filter"), rows)


@app.command()
def show(name: Name, as_json: output.Json = False) -> None:
    """One subscriber; its secrets are masked."""
    _print(calls.call("subscriber.show", {"name": name}), as_json)


@app.command()
def change(
    name: Name, title: Title = None, given: Set = None, file: File = None, agencies: Agencies = None,
    procedures: Procedures = None, types: Types = None, dry_run: DryRun = False, why: Why = "",
    as_json: output.Json = False,
) -> None:  # fmt: skip
    """Set title, filter or single settings; the filter is replaced whole if any part of it is given."""
    wanted: SettingsTable = {
        "name": name,
        "title": title,
        "settings": _settings(file, None) if file else None,
        "set": _settings(None, given) if given else None,
        "filter": _filter(agencies, procedures, types) or None,
    }
    if dry_run:
        output.print_json(calls.preview("subscriber.change", wanted))
    else:
        _print(calls.call("subscriber.change", wanted, why), as_json)


@app.command()
def pause(name: Name, why: Why = "", as_json: output.Json = False) -> None:
    """Nothing is attempted; events queue up."""
    calls.call("subscriber.pause", {"name": name}, why)
    _say(name, "is paused; its events queue up", {"name": name, "paused": True}, as_json)


@app.command()
def resume(name: Name, why: Why = "", as_json: output.Json = False) -> None:
    """Deliver again, in order."""
    calls.call("subscriber.resume", {"name": name}, why)
    _say(name, "is delivered to again", {"name": name, "paused": False}, as_json)


@app.command("kafka-user")
def kafka_user(name: Name, why: Why = "", as_json: output.Json = False) -> None:
    """A Kafka user for it, which may read its own topic only; its password is printed once. Again: a new password."""
    show_user(calls.call("subscriber.kafka-user", {"name": name}, why), as_json)


@app.command("rotate-secret")
def rotate_secret(
    name: Name,
    secret: Annotated[str, typer.Option(help="which one")] = subscribers.SIGNING,
    value_from_env: Annotated[
        bool, typer.Option("--from-env", help=f"take the value from {SECRET_VARIABLE} instead of making one")
    ] = False,
    overlap_hours: Annotated[float | None, typer.Option(min=0, help="how long the old one signs beside it")] = None,
    why: Why = "",
    as_json: output.Json = False,
) -> None:
    """A new secret, printed once; the old one signs beside it for the overlap (24 h)."""
    given = os.environ.get(SECRET_VARIABLE) if value_from_env else None
    if value_from_env and not given:
        raise ConfigError(SECRET_VARIABLE, "is empty")
    wanted = {"name": name, "secret": secret, "value": given, "overlap_hours": overlap_hours}
    made = calls.call("subscriber.rotate-secret", wanted, why)
    shown = {} if given else {"value": made["value"]}
    words = "is replaced" if given else f"is new, shown only now:\n\n  {made['value']}\n"
    _say(f"secret {secret} of {name}", words, {"name": name, "secret": secret} | shown, as_json)


@app.command("test")
def probe(name: Name, why: Why = "", as_json: output.Json = False) -> None:
    """A probe from this machine: is the portal there, does it let us in? Exit code 1 if not. No event is sent."""
    found = calls.call("subscriber.test", {"name": name}, why)
    if as_json:
        output.print_json(found)
    else:
        print(f"{name}: {'ok' if found['ok'] else found['kind']}, {found['message']} ({found['seconds']:.1f} s)")
    if not found["ok"]:
        raise typer.Exit(exit_codes.FAILED)


@app.command()
def waiting(name: Name, as_json: output.Json = False) -> None:
    """Its parked and held dossiers: behind which event, after how many tries, until when."""
    found = calls.call("subscriber.waiting", {"name": name})
    if as_json:
        output.print_json(found)
        return
    rows = [(w["key"], w["place"], w["events"], w["attempt"], w["error"], _moment(w["not_before"])) for w in found]
    output.print_table(f"Waiting for {name}", ("dossier", "place", "events", "tries", "error", "not before"), rows)


@app.command()
def remove(name: Name, dry_run: DryRun = False, why: Why = "", as_json: output.Json = False) -> None:
    """Remove it: its delivery stops, nothing is due to it any more. Its topics are left."""
    if dry_run:
        output.print_json(calls.preview("subscriber.remove", {"name": name}))
        return
    calls.call("subscriber.remove", {"name": name}, why)
    _say(name, "is removed; its topics are left", {"removed": name}, as_json)


@app.command()
def resend(
    name: Name,
    dossiers: Annotated[list[str] | None, typer.Option("--dossier", help="only of this dossier; repeat")] = None,
    since: Annotated[str, typer.Option(help="90m, 24h, 7d, or a time")] = "",
    until: Annotated[str, typer.Option(help="the same; what is at or after it is left out")] = "",
    again: Annotated[bool, typer.Option("--again", help="also what it has confirmed")] = False,
    rate: Annotated[float | None, typer.Option(help="at most so many events a second")] = None,
    resume_id: Annotated[str, typer.Option("--resume", help="go on with an act: its id")] = "",
    dry_run: DryRun = False,
    why: Why = "",
    as_json: output.Json = False,
) -> None:
    """Send it events of a time or of some dossiers once more, each in its dossier's order."""
    wanted = {"name": name, "dossiers": dossiers or [], "since": since, "until": until, "again": again, "rate": rate}
    if dry_run:
        output.print_json(calls.preview("subscriber.resend", wanted))
        return
    ended = calls.long("subscriber.resend", wanted, why, resume_id)
    if as_json:
        output.print_json(ended.document())
    else:
        print(f"{name}: {ended.tally.total} events are asked for again ({ended.state})")
    raise typer.Exit(calls.code_of(ended))


def _moment(epoch: float) -> str:
    return datetime.fromtimestamp(epoch).astimezone().isoformat(sep=" ", timespec="seconds") if epoch else ""


def _settings(file: Path | None, given: list[str] | None) -> SettingsTable:
    out: SettingsTable = {}
    if file is not None:
        try:
            out = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError("--settings", f"{file} is no readable JSON: {error}") from None
        if not isinstance(out, dict):
            raise ConfigError("--settings", f"{file} holds no JSON object")
    for text in given or ():
        path, equals, value = text.partition("=")
        if not equals:
            raise ConfigError("--set", f"{text!r} is not NAME=VALUE")
        *outer, last = path.split(".")
        place = out
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = _value(value)
    return out


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _secret(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        value = os.environ.get(SECRET_VARIABLE, "")
        if not value:
            raise ConfigError("--secret", f"{name}: {SECRET_VARIABLE} is empty; or give NAME=env:…, NAME=file:…")
    return name, value


def _filter(agencies: list[str] | None, procedures: list[str] | None, types: list[str] | None) -> SettingsTable:
    parts = {"agencies": agencies, "procedures": procedures, "types": types}
    return {name: values for name, values in parts.items() if values}


def _backfill(shown: JsonObject) -> str:
    return f"{shown['backfill']}: {'done' if shown['backfilled'] else 'open'}"


def _words(wanted: dict[str, list[str]]) -> str:
    return "; ".join(f"{name}: {' '.join(values)}" for name, values in wanted.items() if values) or "all"


def _say(what: str, words: str, value: JsonObject, as_json: bool) -> None:
    if as_json:
        output.print_json(value)
    else:
        print(f"{what} {words}")


def _print(found: JsonObject, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    for field, value in found.items():
        if field == "filter":
            value = _words(value)
        elif isinstance(value, dict):
            value = ", ".join(f"{name}={inner}" for name, inner in value.items())
        print(f"{field + ':':12} {value}")
