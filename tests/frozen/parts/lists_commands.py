"""A4: the commands with their arguments and options, their exit codes, and what those print that ask nobody."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_origin
from unittest import mock

import typer

from hub import errors, exit_codes
from hub.cli import main
from hub_connectors.national_portal.simulator import command as national
from hub_connectors.webhook.simulator import command as provincial
from tests.frozen.inputs import fixed

SHOWN: dict[str, tuple[str, ...]] = {
    "hub --help": ("--help",),
    "hub nothing": ("nothing",),
    "hub topics --help": ("topics", "--help"),
    "hub topics list --json": ("topics", "list", "--json"),
    "hub topics nothing": ("topics", "nothing"),
    "hub check-config --json": ("check-config", "--json"),
    "hub run nothing": ("run", "nothing"),
    "hub simulate": ("simulate",),
    "hub simulate --help": ("simulate", "--help"),
    "hub simulate nothing": ("simulate", "nothing"),
    "hub generate --list-sources": ("generate", "--list-sources", "--start", "2026-01-05"),
    "hub generate --days 3": ("generate", "--days", "3"),
}
WRONG_SETTING: dict[str, tuple[str, ...]] = {
    "hub check-config --json": ("check-config", "--json"),
    "hub check-config": ("check-config",),
    "hub topics list": ("topics", "list"),
}
ERRORS: dict[str, BaseException] = {
    "ConfigError": errors.ConfigError("kafka.partitions", "is wrong"),
    "StartError": errors.StartError("port taken"),
    "BadRecord": errors.BadRecord("date", "no such day"),
    "RegistryError, away": errors.RegistryError("away"),
    "RegistryError, refused": errors.RegistryError("no", 42201),
    "Retryable": errors.Retryable("timeout", "no answer"),
    "Rejected": errors.Rejected("schema", "no"),
    "ValueError": ValueError("a fault"),
    "KafkaConnectionError": type("KafkaConnectionError", (Exception,), {})("away"),
    "KafkaTimeoutError": type("KafkaTimeoutError", (Exception,), {})("away"),
}


def outputs() -> dict[str, Any]:
    with fixed.environment():
        shown = {title: _shown(words) for title, words in SHOWN.items()}
    with fixed.environment({"HUB_KAFKA__PARTITIONS": "0"}):
        wrong = {title: _shown(words) for title, words in WRONG_SETTING.items()}
    return {
        "commands": {name: _command(name, module, about) for name, (module, about) in main.COMMANDS.items()},
        "simulators": {
            "national-portal": _simulator(national),
            "webhook": _simulator(provincial),
        },
        "exit_codes": {
            "words": {n: v for n, v in vars(exit_codes).items() if n.isupper() and isinstance(v, int)},
            "errors": {name: exit_codes.code(error) for name, error in ERRORS.items()},
        },
        "shown": shown,
        "shown_with_a_wrong_setting": wrong,
    }


def _command(name: str, module: str, about: str) -> dict[str, Any]:
    found: Any = typer.main.get_command(importlib.import_module(module).app)
    return {"about": about, **_tree(found)}


def _tree(command: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"help": _first_line(command.help)}
    if command.params:
        out["parameters"] = {parameter.name: _parameter(parameter) for parameter in command.params}
    if inner := getattr(command, "commands", None):
        out["commands"] = {name: _tree(one) for name, one in inner.items()}
    return out


def _parameter(found: Any) -> dict[str, str]:
    """As `option --days int min 7 max 1000, default 300`, and its help."""
    told = [found.param_type_name, "/".join([*found.opts, *found.secondary_opts]), _type(found)]
    told += ["several"] if found.multiple or found.nargs != 1 else []
    told += [f"from {found.envvar}"] if found.envvar else []
    default = "required" if found.required else f"default {_default(found.default)!r}"
    return {"is": f"{' '.join(told)}, {default}", "help": _first_line(getattr(found, "help", ""))}


def _type(found: Any) -> str:
    """Its Python type, the words of an enum, the limits of a number."""
    annotation = found.type_descriptor.annotation
    if get_origin(annotation) is not None:
        return str(annotation).replace("pathlib.", "").replace("datetime.", "")
    words = ["|".join(str(one.value) for one in annotation)] if issubclass(annotation, Enum) else []
    limits = [f"{name} {value}" for name in ("min", "max") if (value := getattr(found, name, None)) is not None]
    return " ".join([annotation.__name__, *words, *limits])


def _default(value: Any) -> Any:
    value = value.value if isinstance(value, Enum) else value
    if callable(value):
        return "(made)"
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n\n")[0].replace("\n", " ")


def _simulator(module: Any) -> dict[str, Any]:
    """Options of its parser, which is kept from parsing."""
    kept: list[argparse.ArgumentParser] = []

    def keep(self: argparse.ArgumentParser, args: Any = None) -> argparse.Namespace:
        kept.append(self)
        raise SystemExit

    with mock.patch.object(argparse.ArgumentParser, "parse_args", keep), contextlib.suppress(SystemExit):
        module.main([])
    actions = [action for action in kept[0]._actions if action.dest != "help"]
    return {" ".join(action.option_strings): _action(action) for action in actions}


def _action(action: argparse.Action) -> dict[str, str]:
    words = f", one of {', '.join(map(str, action.choices))}" if action.choices else ""
    return {"is": f"default {action.default!s}{words}", "help": action.help or ""}


def _shown(words: tuple[str, ...]) -> dict[str, Any]:
    """Exit code, and what was printed without the frames that rich draws."""
    out, error = io.StringIO(), io.StringIO()
    code: Any = None
    with _narrow(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            main.main(list(words))
        except SystemExit as ended:
            code = ended.code
    text = out.getvalue()
    told: Any = json.loads(text) if "--json" in words and text else _plain(text)
    return {"exit": code, "stdout": told, "stderr": _plain(error.getvalue())}


@contextlib.contextmanager
def _narrow() -> Iterator[None]:
    with mock.patch.dict(os.environ, {"COLUMNS": "120", "TERM": "dumb", "NO_COLOR": "1"}):
        yield


def _plain(text: str) -> list[str]:
    """The words of each line that has any."""
    bare = (" ".join(line.translate(_FRAMES).split()) for line in text.splitlines())
    return [line for line in bare if line]


_FRAMES = str.maketrans(dict.fromkeys("─│╭╮╰╯┃━┏┓┗┛┡┩┴└┘┬┳┼╇", " "))
