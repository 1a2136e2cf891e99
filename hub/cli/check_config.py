"""`hub check-config`: every setting checked, and those in force shown with secrets masked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer
from pydantic import BaseModel, SecretStr

from hub import config, exit_codes
from hub.cli import output
from hub.config import Settings
from hub.errors import ConfigError
from hub.model.deadline_rules import rules as deadline_rules
from hub.reports.score_rules import scheme

app = typer.Typer(add_completion=False)


@app.command()
def check_config(as_json: output.Json = False) -> None:
    """Check all settings. Wrong ones are named one a line, with what is wrong; exit code 2 then."""
    try:
        settings = config.load()
        deadline_rules(settings.deadlines)  # hours, and the file of days off, which the settings only name
        scheme(settings.figures.rules_file)
        _connectors(settings)
    except ConfigError as error:
        if as_json:
            output.print_json({"ok": False, "errors": [_split(line) for line in str(error).splitlines()]})
        else:
            print(f"settings are wrong:\n{error}", file=sys.stderr)
        raise typer.Exit(exit_codes.USAGE) from None
    rows = list(effective(settings))
    if as_json:
        output.print_json({"ok": True, "settings": {name: value for name, value, _default in rows}})
    else:
        shown = [(name, "" if value is None else value, "" if default else "set") for name, value, default in rows]
        output.print_table("Settings in force", ("setting", "value", ""), shown)
        print("all settings are valid")


def _connectors(settings: Settings) -> None:
    """What connectors say of their own settings in `sources` and `inbound`. ConfigError: all that is wrong."""
    wrong = []
    for name in settings.sources:
        from hub.sources.role import make_source  # loads Kafka's client, which nothing else here needs

        try:
            make_source(name, settings)
        except ConfigError as error:
            wrong.append(str(error))
    if settings.inbound:
        from hub.connect.inbound import installed

        try:
            installed(settings)
        except ConfigError as error:
            wrong.append(str(error))
    if wrong:
        field, _, message = "\n".join(wrong).partition(": ")
        raise ConfigError(field, message)


def effective(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any, bool]]:
    """(dotted name, value, is the default) of every setting; a secret's value is `***`, None where unset."""
    default = Settings.model_construct() if isinstance(model, Settings) else type(model)()
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from effective(value, f"{prefix}{name}.")
            continue
        plain = "***" if isinstance(value, SecretStr) else value
        yield prefix + name, plain, value == getattr(default, name)


def _split(line: str) -> dict[str, str]:
    field, _, message = line.partition(": ")
    return {"field": field, "message": message}
