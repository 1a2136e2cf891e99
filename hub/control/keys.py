"""API keys: 256 random bits, shown once, kept as a hash. Who holds a key is looked up in the local directory copy."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from hub.control.records import Organisation, now

PREFIX = "hub_"
"""So that a secret scanner finds a key that was committed or logged by mistake."""
KEY_BYTES = 32


def generate() -> str:
    """A new key, as `hub_` and 43 characters of URL-safe base64."""
    return PREFIX + secrets.token_urlsafe(KEY_BYTES)


def digest(key: str) -> str:
    """What is stored. No salt, no slow hash: 256 random bits cannot be guessed, and it is asked at every request."""
    return hashlib.sha256(key.encode()).hexdigest()


def credential(headers: Mapping[str, str]) -> str:
    """The key of a request: `Authorization: Bearer hub_…`, or `X-Api-Key`; "" if there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return headers.get("x-api-key", "").strip()


class KeyRing:
    """hash -> organisation, over all organisations; built anew when one changes (rare), asked at every request."""

    def __init__(self, organisations: Iterable[Organisation] = ()) -> None:
        self._holders: dict[str, tuple[Organisation, datetime | None]] = {}
        self._named: dict[str, Organisation] = {}
        self.fill(organisations)

    def fill(self, organisations: Iterable[Organisation]) -> None:
        organisations = list(organisations)
        self._named = {o.name: o for o in organisations}
        self._holders = {h: (o, o.key_until.get(h)) for o in organisations for h in o.key_hashes}

    def named(self, name: str) -> Organisation | None:
        """The organisation of that name, for a door that knows it by a certificate."""
        return self._named.get(name)

    def holder(self, key: str) -> Organisation | None:
        """Whose key it is; None for an unknown key and for one whose overlap has ended."""
        found = self._holders.get(digest(key))
        if found is None:
            return None
        organisation, until = found
        return organisation if until is None or now() < until else None
