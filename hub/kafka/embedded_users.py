"""Who may speak to the embedded broker: a user for each role, with passwords made at the first start.

They stand in `data_dir/kafka/users.json`, mode 0600: whoever may read the data folder may speak, nobody else on the
machine, and no page in a browser. On a cluster the settings say who we are.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hub.config import Settings
from hub.kafka.topics import CATALOGUE
from hub.machine import passwords

ADMIN = "admin"
"""The super user: makes topics and rights."""
OPERATOR = "operator"
"""Whoever runs a command."""


class Login(NamedTuple):
    user: str
    password: str


def principals() -> tuple[str, ...]:
    """The super user, and all roles that the topic catalogue names."""
    named = {word for topic in CATALOGUE for word in (*topic.writers, *topic.readers)}
    return ADMIN, *sorted(named - {"agency", "subscriber"})


def secured(settings: Settings) -> bool:
    """Whether the hub runs its own broker and asks for passwords there."""
    own = settings.kafka.security_protocol == "PLAINTEXT"
    return own and settings.embedded.sasl and not settings.kafka.bootstrap_servers


def users_file(settings: Settings) -> Path:
    return settings.data_dir / "kafka" / "users.json"


def read(settings: Settings) -> dict[str, str]:
    """Passwords by user; none before the broker's first start. StartError: the file is damaged."""
    return passwords.read(users_file(settings))


def made(settings: Settings) -> dict[str, str]:
    """Those of the file, and a new password for each role that has none; called by the broker's own process."""
    return passwords.made(users_file(settings), principals())


def acting_as(settings: Settings, principal: str) -> Settings:
    """The same settings, speaking to the embedded broker as that user; on a cluster nothing changes."""
    if not secured(settings):
        return settings
    kafka = settings.kafka.model_copy(update={"sasl_username": principal})
    return settings.model_copy(update={"kafka": kafka})


def login(settings: Settings) -> Login | None:
    """How to log in to the embedded broker; None where the settings say it, and before its first start."""
    if not secured(settings):
        return None
    user = settings.kafka.sasl_username or OPERATOR
    password = read(settings).get(user)
    return None if password is None else Login(user, password)
