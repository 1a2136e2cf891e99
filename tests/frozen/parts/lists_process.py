"""A4: roles, metrics, alerts, entry points, names of health checks, units of systemd, words of dead letters."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase

import hub
from hub.config import Settings
from hub.console import words
from hub.deadletter.reasons import REASONS, STAGES
from hub.delivery.snapshot import STEP_OF_STATUS
from hub.model.transitions import STATUSES, STEPS
from hub.observe import metrics
from hub.observe.health import Health
from hub.supervisor.roles import ROLES
from tests.frozen.inputs import fixed

ROOT = Path(__file__).parents[3]


def outputs() -> dict[str, Any]:
    return {
        "roles": _roles(),
        "metrics": {found.describe()[0].name: _metric(found) for found in _metrics()},
        "alerts": _alerts((ROOT / "deploy" / "prometheus" / "rules.yml").read_text("utf-8")),
        "board": _board(json.loads((ROOT / "deploy" / "grafana" / "hub.json").read_text("utf-8"))),
        "entry_points": _entry_points(),
        "health": {"names": _checks(), "report": _report()},
        "units": {
            path.name: _unit(path.read_text("utf-8"))
            for path in sorted((ROOT / "deploy" / "systemd").iterdir())
            if path.suffix in (".service", ".target")
        },
        "dead_letters": {"stages": dict(STAGES), "reasons": dict(REASONS)},
        "words": _words(),
    }


def _roles() -> dict[str, Any]:
    with fixed.environment():
        base = Settings().observe.port_base
    return {role.name: {"port": base + role.number, "vital": role.vital, "meaning": role.meaning} for role in ROLES}


def _metrics() -> Iterator[Any]:
    return (found for found in vars(metrics).values() if isinstance(found, MetricWrapperBase))


def _metric(found: Any) -> dict[str, Any]:
    (family,) = found.describe()
    out = {"type": family.type, "labels": list(found._labelnames), "help": family.documentation}
    bounds = getattr(found, "_upper_bounds", None) or getattr(found, "_kwargs", {}).get("buckets")
    return out | ({"buckets": [float(one) for one in bounds if one != float("inf")]} if bounds else {})


def _alerts(text: str) -> dict[str, Any]:
    """Name -> expression, for, severity."""
    out = {}
    for part in text.split("- alert: ")[1:]:
        name, _, rest = part.partition("\n")
        found = re.search(r"expr:(.*?)\n\s+(?:for|labels):", rest, re.DOTALL)
        wait, severity = re.search(r"\bfor: (\w+)", rest), re.search(r"severity: (\w+)", rest)
        out[name.strip()] = {
            "expr": " ".join(found[1].split()) if found else "",
            "for": wait[1] if wait else "",
            "severity": severity[1] if severity else "",
        }
    return out


def _board(board: dict[str, Any]) -> dict[str, list[str]]:
    """Title of each panel -> its expressions."""
    return {one["title"]: [target["expr"] for target in one.get("targets", [])] for one in board["panels"]}


def _entry_points() -> dict[str, Any]:
    """Names by group, as pyproject.toml has them; each must be installed and load."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = {"console_scripts": project["scripts"], **project["entry-points"]}
    return {group: {name: _loads(group, name) for name in names} for group, names in groups.items()}


def _loads(group: str, name: str) -> str:
    found = next(iter(entry_points(group=group, name=name)), None)
    if found is None:
        return "not installed"
    kind = found.load()
    return (
        "a module"
        if hasattr(kind, "__path__") or hasattr(kind, "__file__")
        else "a class"
        if isinstance(kind, type)
        else "a function"
    )


def _checks() -> list[str]:
    """`ready` or `live` and the name, of each check that some role sets; read from the source, since only a role that
    runs sets its own."""
    found = set()
    texts = (path.read_text("utf-8") for path in Path(hub.__file__).parent.rglob("*.py"))
    for text in (one for one in texts if "HEALTH" in one):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Subscript) and _is(node.value, "HEALTH") and isinstance(node.slice, ast.Constant):
                assert isinstance(node.value, ast.Attribute)
                found.add(f"{node.value.attr} {node.slice.value!s}")
            if isinstance(node, ast.Call) and _is(node.func, "HEALTH") and node.args:
                first = node.args[0]
                found.add("ready " + (str(first.value) if isinstance(first, ast.Constant) else "(the role)"))
    return sorted(found)


def _is(node: ast.expr, name: str) -> bool:
    """An attribute of that name, as HEALTH.ready."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def _report() -> dict[str, Any]:
    health = Health()
    out = {"nothing said": health.report("ready"), "live": health.report("live")}
    health.set_ready("engine", True, "12 partitions")
    health.set_ready("schemas", False)
    return {name: list(found) for name, found in out.items()} | {"one is not": list(health.report("ready"))}


def _unit(text: str) -> list[str]:
    """Its lines but comments."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _words() -> dict[str, Any]:
    """Words for people by the hub's own, and those of the model."""
    tables = {name: value for name, value in vars(words).items() if name.isupper() and isinstance(value, dict)}
    return {
        "console": {name: {str(k): v for k, v in table.items()} for name, table in tables.items()},
        "statuses": list(STATUSES),
        "steps": list(STEPS),
        "step of a status": dict(STEP_OF_STATUS),
    }
