"""The roles: which there are and where each one's code stands. One role is one process and one consumer group.

A role's module has `async def run(role: str, settings: Settings, stop: asyncio.Event) -> None`: it returns soon after
`stop` is set, raises StartError for what a person must mend, and lets any other exception end the process.
Modules are named, not imported, so that `hub run core` loads nothing of the other roles.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from hub.errors import ConfigError

if TYPE_CHECKING:
    import asyncio

    from hub.config import Settings

RoleFunction = Callable[[str, "Settings", "asyncio.Event"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Role:
    """name: as in `hub run NAME`; a name ending in ':' takes a suffix, as in `deliver:national`.

    number: its place in the observe ports (port_base + number; suffixed roles count on from it).
    vital:  when it keeps dying the whole hub stops with the reason (broker, registry, core).
    """

    name: str
    module: str
    number: int
    vital: bool
    meaning: str


ROLES = (
    Role("broker", "hub.broker.role", 0, True, "the embedded Kafka broker"),
    Role("registry", "hub.registry.server.role", 1, True, "the embedded schema registry"),
    Role("gateway", "hub.gateway.role", 2, False, "HTTP in: events, subscribers, organisations"),
    Role("intake", "hub.intake.role", 3, False, "agencies' own topics, re-keyed into hub.ingress"),
    Role("core", "hub.core.role", 4, True, "normalise, validate, number and track (Faust)"),
    Role("reconcile", "hub.reconcile.role", 5, False, "what is due and has no receipt (Faust)"),
    Role("projector", "hub.projector.role", 6, False, "Kafka to SQL"),
    Role("console", "hub.console.role", 7, False, "pages and the read API"),
    Role("source:", "hub.sources.role", 20, False, "a connector that pulls or watches, as source:filedrop"),
    Role("deliver:", "hub.delivery.role", 40, False, "delivery to one subscriber, as deliver:national"),
)


def find(name: str) -> Role:
    """The role of that name (`deliver:national` -> `deliver:`); ConfigError if there is none."""
    for role in ROLES:
        if name == role.name or (role.name.endswith(":") and name.startswith(role.name) and len(name) > len(role.name)):
            return role
    raise ConfigError("role", f"{name!r} is no role; there are {', '.join(r.name for r in ROLES)}")


def function(name: str) -> RoleFunction:
    """The role's `run`, its module imported now."""
    run: RoleFunction = import_module(find(name).module).run
    return run
