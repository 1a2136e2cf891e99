"""Settings of the inbound calls, `inbound.national-portal`. Public sources tell nothing of how the portal shows who it
is, so the door is opened by a token, by the caller's address (the security server's), or by both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from hub.connect.subscriber_settings import ConnectorSettings
from hub.errors import ConfigError
from hub_connectors.national_portal import names
from hub_connectors.national_portal.wire import WORDS

NAME = "national-portal"
_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


class InboundSettings(ConnectorSettings):
    """At least one of `token` and `clients` must be set; with both, both must fit."""

    token: str = Field("", description="env:NAME or file:PATH of the bearer token that the caller sends", repr=False)
    clients: tuple[str, ...] = Field((), description="addresses or networks that may call, as 10.1.2.0/24")
    source: str = Field("urn:vn:gov:dvcqg:inbound", min_length=1, description="CloudEvents source of what comes in")
    paths: dict[str, str] = Field(
        default_factory=dict, description="addtthcKhuyenMai, nhanhsdvcqg, nhantbthuedvcqg, search/call to other paths"
    )
    field_names: dict[str, str] = Field(
        default_factory=dict,
        description="names of fields where the portal's differ: ours (also nhanhsdvcqg.MaHoSo) to its",
    )
    taken_code: int = Field(0, description="error_code: the broker has it")
    there_already_code: int = Field(1, description="error_code: it came before")
    not_taken_code: int = Field(-1, description="error_code: not taken")
    applicant_kinds: dict[str, str] = Field(default_factory=dict, description="overrides of LoaiDoiTuong by hub kind")
    by_post_tells: Literal["return", "filing"] = Field("return", description="HinhThuc, as for the subscriber")
    status_codes: dict[str, str] = Field(default_factory=dict, description="overrides of TrangThaiHoSo by hub status")

    @field_validator("clients")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one)
        return value

    @field_validator("paths")
    @classmethod
    def _paths(cls, value: dict[str, str]) -> dict[str, str]:
        for door, path in value.items():
            if door not in names.KNOWN["doors"]:
                raise ValueError(f"{door}: there are {', '.join(names.KNOWN['doors'])}")
            if not _PATH.fullmatch(path):
                raise ValueError(f"{door}: {path!r} is no path, as search/call")
        taken = [value.get(door, door) for door in names.KNOWN["doors"]]
        if len(set(taken)) < len(taken):
            raise ValueError(f"each needs a path of its own; got {', '.join(taken)}")
        return value

    @field_validator("field_names")
    @classmethod
    def _names(cls, value: dict[str, str]) -> dict[str, str]:
        names.checked(value, names.KNOWN["inbound"], names.KNOWN["doors"])
        return value

    @field_validator("applicant_kinds")
    @classmethod
    def _kinds(cls, value: dict[str, str]) -> dict[str, str]:
        kinds = WORDS["applicant_kind"]
        codes = {**kinds, **value}
        if unknown := set(value) - set(kinds):
            raise ValueError(f"{min(unknown)!r} is none of {', '.join(kinds)}")
        if len(set(codes.values())) < len(codes):
            raise ValueError(f"two kinds have the same code: {codes}")
        return value

    @field_validator("token")
    @classmethod
    def _reference(cls, value: str) -> str:
        if value and not value.startswith(("env:", "file:")):
            raise ValueError("give the token as env:NAME or file:PATH, not itself")
        return value

    @model_validator(mode="after")
    def _guarded(self) -> InboundSettings:
        if len({self.taken_code, self.there_already_code, self.not_taken_code}) < 3:
            raise ValueError("taken_code, there_already_code and not_taken_code must differ")
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
