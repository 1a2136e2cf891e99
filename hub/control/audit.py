"""Every operator action leaves an entry in `hub.control`: who, when, what, on what, why."""

from __future__ import annotations

import getpass
import os
import socket
import uuid

from hub.control.records import AuditEntry


def entry(who: str, action: str, target: str, why: str = "") -> AuditEntry:
    """An entry to write in the same call as the change that it tells of."""
    return AuditEntry(id=str(uuid.uuid4()), who=who, action=action, target=target, why=why)


def this_operator() -> str:
    """Who sits at this terminal, as `name@machine`; `sudo` does not hide the person."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        name = f"uid-{os.getuid()}"
    return f"{name}@{socket.gethostname()}"
