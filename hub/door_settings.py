"""Settings of the HTTP doors; hub.config has all others, and is where they are read."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

Port = int


class Section(BaseModel):
    """A group of settings; unknown names are refused, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RegistrySettings(Section):
    """The schema registry: the embedded role, or any Confluent-compatible one by URL."""

    url: str | None = Field(None, description="empty: the embedded registry role")
    host: str = "127.0.0.1"
    port: Port = Field(18081, ge=0, le=65535)
    username: str | None = None
    password: SecretStr | None = None
    reading: Literal["open", "credentials"] | None = Field(
        None,
        description="who may read from the embedded registry; empty: everybody, or with username and password who has "
        "them. Writing always asks for credentials",
    )


class DoorSettings(Section):
    """What all HTTP doors have in common: gateway, console, registry, observation (docs/doors.md)."""

    hosts: tuple[str, ...] = Field(
        (),
        description="names under which the hub is called; always taken: localhost, the address a door listens on, the "
        "machine's name, and any address in digits",
    )
    proxies: tuple[str, ...] = Field(
        (), description="addresses or networks of proxies whose X-Forwarded-For is believed; nobody else's is"
    )

    connections: int = Field(4_096, ge=1, description="open at one door; one more is closed at once")
    connections_each: int = Field(
        512, ge=1, description="of one address (an IPv6 /64), named proxies excepted; one more is closed at once"
    )

    tls_certificate: Path | None = Field(None, description="PEM, the whole chain; empty: plain HTTP")
    tls_key: Path | None = Field(None, description="PEM; empty: it stands in the certificate's file")
    tls_client_ca: Path | None = Field(None, description="PEM of who signs clients' certificates; empty: none is asked")
    ca: Path | None = Field(None, description="PEM, whom the hub's own calls to its doors trust; empty: the system's")

    @property
    def scheme(self) -> str:
        return "http" if self.tls_certificate is None else "https"

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for one in proxies:
            ip_network(one)  # ValueError names what is wrong
        return proxies


class GatewaySettings(Section):
    """HTTP in: events, and the administration of organisations and subscribers."""

    host: str = "127.0.0.1"
    port: Port = Field(18080, ge=0, le=65535)
    max_body_bytes: int = Field(1_048_576, description="a larger body is refused with 413")
    max_batch: int = Field(1_000, ge=1)
    max_in_flight_bytes: int = Field(64 * 1_048_576, description="above it the answer is 429 with Retry-After")
    max_requests_each: int = Field(
        256, ge=1, description="open requests of one organisation; above it the answer is 429 with Retry-After"
    )
    client_certificates: dict[str, str] = Field(
        default_factory=dict,
        description="name in a client's certificate (an alternative name, or the common name) -> organisation",
    )
    credentials: Literal["key", "either", "both"] = Field(
        "key", description="how an organisation shows who it is: API key, key or certificate, or both of them"
    )
    admin_token: SecretStr | None = Field(None, description="operators' token for /v1/subscribers and the like")


class ConsoleSettings(Section):
    """The pages people look at, and the read API."""

    host: str = "127.0.0.1"
    port: Port = Field(18088, ge=0, le=65535)
