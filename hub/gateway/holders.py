"""Whose credentials they are: an API key, a client's certificate, or both together, as the settings ask."""

from __future__ import annotations

from collections.abc import Sequence

from hub.config import GatewaySettings
from hub.control.keys import KeyRing
from hub.control.records import Organisation


class Holders:
    """Over the ring of keys, which follows `hub.control`."""

    def __init__(self, settings: GatewaySettings, ring: KeyRing) -> None:
        self._settings, self._ring = settings, ring

    def __call__(self, key: str, names: Sequence[str] = ()) -> Organisation | None:
        """None: nobody's. A certificate that names two organisations is nobody's either."""
        by_key = self._ring.holder(key) if key else None
        if self._settings.credentials == "key":
            return by_key
        known = self._settings.client_certificates
        found = {known[name] for name in names if name in known}
        by_certificate = self._ring.named(found.pop()) if len(found) == 1 else None
        if self._settings.credentials == "both":
            same = by_key is not None and by_certificate is not None and by_key.name == by_certificate.name
            return by_key if same else None
        return by_key if key else by_certificate
