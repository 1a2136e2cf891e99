"""The protocol of a way out: what a connector implements to deliver to a portal. Found by entry point `hub.portals`.

An entry point names a factory `portal(subscriber: Subscriber) -> Portal`; it validates `subscriber.settings` with the
connector's own model and raises ConfigError naming the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol

from hub.control import secrets
from hub.control.records import Subscriber, now
from hub.control.vault import LITERAL_ONLY, Vault
from hub.errors import ConfigError
from hub.events.canonical import CanonicalRecord
from hub.events.envelope import Envelope


class Strategy(StrEnum):
    """How a portal keeps what it gets.

    EVENT_LOG: every event by its id, one at a time per dossier; delivered = acknowledged by id.
    STATE:     has no event ids; gets the whole dossier, then progress lines; several events may be folded in one call.
    """

    EVENT_LOG = "event_log"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Item:
    """One canonical event that is due. `data` is the record of hub.events (`DossierEvent` …), times as int
    milliseconds UTC; `value` its bytes on the wire; `family` dossier, procedure or service."""

    envelope: Envelope
    family: str
    data: CanonicalRecord
    value: bytes
    partition: int
    offset: int

    @property
    def key(self) -> str:
        return self.envelope.subject

    @property
    def hub_seq(self) -> int:
        return self.envelope.hub_seq


@dataclass(slots=True)
class Answer:
    """What the portal answered last: kept in the delivery record (`answer` is cut and masked there)."""

    status: int | None = None
    text: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class Portal(Protocol):
    """One connection to one portal, used by one delivery worker at a time (each worker opens its own).

    All methods raise Retryable or Rejected and nothing else for what the portal or the network does.
    """

    strategy: Strategy
    max_fold: int
    """Most events of one dossier in one `deliver` call; 1 for EVENT_LOG."""
    families: tuple[str, ...]
    """Families it has a call for (dossier, procedure, service); events of the others are not due to it."""
    answered: int
    """How many items of the last `deliver`, from the first on, are done although it raised or was cut off: they get
    their receipt and are not given again. Never all of them, and not the one with the newest state. Each `deliver`
    begins at 0, and a connector whose deliveries are of one call stays there."""

    async def open(self) -> None:
        """Makes the HTTP client; no call to the portal yet."""
        ...

    async def deliver(self, items: Sequence[Item]) -> Answer:
        """Delivers events of ONE key, in hub_seq order, all or nothing but for what `answered` tells.

        Called again with the other items after Retryable, also when the outcome of the earlier try is unclear: the
        connector makes that safe (same id, or look up first).
        """
        ...

    async def probe(self) -> None:
        """The cheapest call that shows the portal is there and lets us in."""
        ...

    async def close(self) -> None: ...


def make_portal(subscriber: Subscriber, vault: Vault = LITERAL_ONLY) -> Portal:
    """A new, unopened connection of the subscriber's kind; ConfigError if no connector of that kind is installed.

    The connector sees its own settings (not `settings.delivery`, the hub's limits) and the secrets valid now.
    """
    make = _connector(subscriber.kind)
    own = {name: value for name, value in subscriber.settings.items() if name != "delivery"}
    return make(with_open_secrets(subscriber, vault).model_copy(update={"settings": own}))


def with_open_secrets(subscriber: Subscriber, vault: Vault) -> Subscriber:
    """The subscriber with the values of the secrets that are valid now. ConfigError naming the one that is not."""
    given = secrets.valid(subscriber.secrets, now())
    opened = {name: vault.open(subscriber.name, name, value) if value else "" for name, value in given.items()}
    return subscriber.model_copy(update={"secrets": opened})


@cache
def _connector(kind: str) -> Callable[[Subscriber], Portal]:
    """Looked up once: it reads the metadata of all that is installed, and a portal in trouble has workers connect anew
    again and again."""
    found = entry_points(group="hub.portals", name=kind)
    if not found:
        known = ", ".join(sorted(e.name for e in entry_points(group="hub.portals")))
        raise ConfigError("kind", f"{kind!r} is no portal connector; installed: {known}")
    make: Callable[[Subscriber], Portal] = next(iter(found)).load()
    return make
