"""Units and compose file name only roles, commands and settings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.cli.main import COMMANDS
from hub.config import Settings
from hub.supervisor import roles

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.*"))
COMPOSE = (DEPLOY / "compose" / "compose.yaml").read_text()


def known_settings(model=Settings, prefix="HUB_") -> set[str]:
    names: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if hasattr(inner, "model_fields"):
            names |= known_settings(inner, f"{prefix}{name.upper()}__")
        else:
            names.add(f"{prefix}{name.upper()}")
    return names


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_units_start_commands_that_exist(path):
    started = re.findall(r"^ExecStart=/opt/hub/bin/hub (\S+) ?(.*)$", path.read_text(), re.M)
    assert len(started) == path.read_text().count("ExecStart=") == (path.suffix == ".service")
    for command, rest in started:
        assert command in COMMANDS
        if command == "run":
            assert rest == "%i"


def test_the_target_wants_every_role_that_a_cluster_needs():
    wanted = set(re.findall(r"hub@(\S+?)\.service", (DEPLOY / "systemd" / "hub.target").read_text()))
    for name in wanted:
        roles.find(name)
    plain = {role.name for role in roles.ROLES if not role.name.endswith(":")}
    assert wanted == plain - {"broker"} | {"source:filedrop"}


def test_compose_runs_roles_that_exist():
    named = re.findall(r'command: \[run, "?([a-z:-]+)"?\]', COMPOSE)
    for name in named:
        roles.find(name)
    plain = {role.name for role in roles.ROLES if not role.name.endswith(":")}
    assert plain - {"broker"} <= set(named)


@pytest.mark.parametrize("path", [*UNITS, DEPLOY / "compose" / "compose.yaml"], ids=lambda p: p.name)
def test_settings_named_exist(path):
    tools = {"HUB_BUILD", "HUB_CACHE_DIR", "HUB_DB_PASSWORD"}
    named = set(re.findall(r"\bHUB_[A-Z_]+[A-Z]", path.read_text()))
    assert named - tools <= known_settings()
