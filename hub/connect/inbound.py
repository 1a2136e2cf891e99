"""The protocol of a way in that is called from outside in its own words (a portal's calls, not CloudEvents). Found by
entry point `hub.inbound`, mounted by the gateway under `/inbound/<name>`; one runs only with settings in `inbound`.

An entry point names a factory `inbound(settings: Settings, own: Mapping[str, Any]) -> Inbound`; it raises ConfigError
naming the field, also when nothing says who may call: such a door stays shut.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Protocol

from fastapi import APIRouter, Request

from hub.avro.records import Dossier
from hub.config import Settings
from hub.connect.source import Incoming
from hub.errors import ConfigError


class InboundHost(Protocol):
    """What the gateway lends to a way in: reading a body, sending events, looking a dossier up."""

    async def body(self, request: Request) -> bytes:
        """The body, within the limit of size; what is longer ends the request with a problem."""
        ...

    async def accept(self, events: Sequence[Incoming], recorded_at: str) -> list[bool]:
        """For each event: False if this process saw it acknowledged before, else True once the broker has it.

        BadRecord, BrokerAway and Overloaded: none of them was told to be accepted.
        """
        ...

    async def find(self, code: str) -> Dossier | None:
        """What the read model knows of a dossier (it may be a moment behind). Retryable: it is away."""
        ...


class Inbound(Protocol):
    """A way in. Its router answers in the caller's own form, errors too."""

    name: str

    def router(self, host: InboundHost) -> APIRouter: ...


def installed(settings: Settings) -> list[Inbound]:
    """Those that have settings. ConfigError: a name that is not installed, or a wrong field."""
    found = {point.name: point for point in entry_points(group="hub.inbound")}
    for name in settings.inbound:
        if name not in found:
            raise ConfigError(f"inbound.{name}", f"is not installed; there are {', '.join(sorted(found))}")
    return [found[name].load()(settings, own) for name, own in sorted(settings.inbound.items())]
