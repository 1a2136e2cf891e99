"""Passwords that the hub makes for its own doors: a JSON file, name -> password, mode 0600."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from pathlib import Path

from hub.errors import StartError
from hub.machine.durable_files import write_durably

_BYTES = 24


def read(path: Path) -> dict[str, str]:
    """Passwords by user; none while there is no file. StartError: it is damaged."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return {str(name): str(password) for name, password in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise StartError(f"{path} cannot be used: {error}; remove it, and the next start makes it anew") from None


def made(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Those of the file, and a new one for each name that has none; called by the one process that owns the door."""
    users = read(path)
    new = {name: secrets.token_urlsafe(_BYTES) for name in names if name not in users}
    if new:
        users |= new
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, json.dumps(users, indent=1).encode(), mode=0o600)
    return users
