"""Settings of a hub that starts its own processes: free ports chosen once, the whole passed on as HUB_… variables."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from hub.config import SECRET_PREFIX, Settings
from hub.machine.ports import free_port
from hub.untyped import SettingsTable


def with_ports(settings: Settings) -> Settings:
    """Replaces every port 0 that several processes must agree on by a free one; all else is as given."""
    sections: SettingsTable = {}
    for name in ("embedded", "registry", "gateway", "console"):
        section = getattr(settings, name)
        if section.port == 0:
            sections[name] = section.model_copy(update={"port": free_port()})
    return settings.model_copy(update=sections)


def variables(settings: Settings) -> dict[str, str]:
    """This process's environment with every setting spelled out, so that a child has exactly these settings."""
    other = {key: value for key, value in os.environ.items() if _passed_on(key)}
    dump = settings.model_dump()
    by_name = {f"HUB_{name.upper()}": json.dumps(dump.pop(name)) for name in ("sources", "inbound")}
    return other | by_name | dict(_flatten("HUB", dump))


_PASSED_ON = {"HUB_CACHE_DIR", "HUB_SUBSCRIBER_SECRET", "HUB_REQUIRE_ALL"}


def _passed_on(name: str) -> bool:
    return not name.startswith("HUB_") or name.startswith(SECRET_PREFIX) or name in _PASSED_ON


def _flatten(prefix: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        key = f"{prefix}_{name.upper()}" if prefix == "HUB" else f"{prefix}__{name.upper()}"
        if isinstance(item, Mapping):
            yield from _flatten(key, item)
        elif isinstance(item, SecretStr):
            yield key, item.get_secret_value()
        elif isinstance(item, list | tuple):
            yield key, json.dumps(item, default=str)
        elif item is not None:
            yield key, str(item)


def role_command(settings: Settings, name: str) -> list[str]:
    """How the supervisor runs a role: this interpreter, the same program."""
    log_file = settings.data_dir / "logs" / f"{name.replace(':', '_')}.log"
    return [sys.executable, "-m", "hub", "run", name, "--log-file", str(log_file)]
