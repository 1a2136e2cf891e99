"""Calls that the national portal makes into the province (docs/field/packets.md), as a way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.config import Settings
    from hub.connect.inbound import Inbound


def inbound(settings: Settings, own: Mapping[str, Any]) -> Inbound:
    """The entry point of `hub.inbound`. ConfigError names a wrong field of `inbound.national-portal`."""
    from hub.control.vault import vault
    from hub_connectors.national_portal.inbound.router import NationalInbound
    from hub_connectors.national_portal.inbound.settings import read

    return NationalInbound(read(own), vault(settings).references)
