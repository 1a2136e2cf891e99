"""A subscriber's settings and secrets as a connector reads them; what is wrong is named as a field of the record."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.connect.address_guard import AddressGuard
from hub.control.records import Subscriber
from hub.errors import ConfigError


class ConnectorSettings(BaseModel):
    """Base of every connector's settings: unknown names are refused, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(ConnectorSettings):
    """Base of the settings of a connector that calls an address which a subscriber's record names."""

    allow_private_networks: bool = Field(
        False, description="let the address be in 10/8, 172.16/12, 192.168/16, fc00::/7"
    )
    allow_loopback: bool = Field(False, description="let the address be this machine: for the demo and tests")

    @property
    def guard(self) -> AddressGuard:
        return AddressGuard(self.allow_private_networks, self.allow_loopback)


S = TypeVar("S", bound=ConnectorSettings)


def read_settings(model: type[S], subscriber: Subscriber) -> S:
    """`subscriber.settings` checked by the model; ConfigError names every wrong field, one a line."""
    try:
        return model.model_validate(subscriber.settings)
    except ValidationError as error:
        wrong = [(".".join(str(p) for p in ("settings", *e["loc"])), e["msg"]) for e in error.errors()]
        more = "".join(f"\n{field}: {message}" for field, message in wrong[1:])
        raise ConfigError(wrong[0][0], wrong[0][1] + more) from None


def read_secret(subscriber: Subscriber, name: str) -> str:
    """A secret's value, opened before the connector was made; ConfigError if it is not there."""
    value = subscriber.secrets.get(name, "")
    if not value:
        raise ConfigError(f"secrets.{name}", "is empty; give it as literal, env:NAME or file:PATH")
    return value
