"""Settings of the inbound calls, `inbound.national-portal`. Public sources tell nothing of how the portal shows who it
is, so the door is opened by a token, by the caller's address (the security server's), or by both."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from connectors.common.config import ConnectorSettings
from hub.errors import ConfigError

NAME = "national-portal"


class InboundSettings(ConnectorSettings):
    """At least one of `token` and `clients` must be set; with both, both must fit."""

    token: str = Field("", description="env:NAME or file:PATH of the bearer token that the caller sends", repr=False)
    clients: tuple[str, ...] = Field((), description="addresses or networks that may call, as 10.1.2.0/24")
    source: str = Field("urn:vn:gov:dvcqg:inbound", min_length=1, description="CloudEvents source of what comes in")
    status_codes: dict[str, str] = Field(default_factory=dict, description="overrides of TrangThaiHoSo by hub status")

    @field_validator("clients")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one)
        return value

    @field_validator("token")
    @classmethod
    def _reference(cls, value: str) -> str:
        if value and not value.startswith(("env:", "file:")):
            raise ValueError("give the token as env:NAME or file:PATH, not itself")
        return value

    @model_validator(mode="after")
    def _guarded(self) -> InboundSettings:
        if not self.token and not self.clients:
            raise ValueError("set token or clients: without either anybody could file dossiers")
        return self


def read(given: Mapping[str, Any]) -> InboundSettings:
    """ConfigError names the wrong field."""
    try:
        return InboundSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("inbound", NAME, *first["loc"]))
        raise ConfigError(place, first["msg"]) from None
