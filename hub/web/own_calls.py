"""What the hub's own calls to its doors need, and the name under which a door tells of a client's certificate."""

from __future__ import annotations

import ssl

from hub.config import DoorSettings

CERTIFICATE = "hub.client_certificate"
"""In the scope's `extensions`, `names`: those in the client's certificate, if its CA is ours; else none."""


def trust(door: DoorSettings) -> ssl.SSLContext | bool:
    """`verify` of an httpx client."""
    return True if door.ca is None else ssl.create_default_context(cafile=str(door.ca))
