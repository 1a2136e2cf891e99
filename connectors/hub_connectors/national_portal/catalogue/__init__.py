"""The national catalogue of procedures and online services as a way in: full lists pulled, changes made events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.config import Settings
    from hub.connect.source import Source


def source(settings: Settings) -> Source:
    """The entry point of `hub.sources`. ConfigError names a wrong field of `sources.national-catalogue`."""
    from hub_connectors.national_portal.catalogue.settings import NAME, read
    from hub_connectors.national_portal.catalogue.watch import NationalCatalogue

    return NationalCatalogue(settings, read(settings.sources.get(NAME, {})))
