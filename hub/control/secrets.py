"""A subscriber's secrets in time: a rotated one works on for its overlap, under a name that tells until when.

`signing` is the present secret; `signing.until.20261125T200000Z` is the one before, valid until then. Connectors use
all secrets whose names begin alike (Standard Webhooks: several signatures in one header), so a receiver may change over
at any time within the overlap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

_UNTIL = re.compile(r"^(?P<name>.+)\.until\.(?P<until>\d{8}T\d{6}Z)$")
_FORM = "%Y%m%dT%H%M%SZ"


def ends(name: str) -> datetime | None:
    """Until when a secret of this name is valid; None: no end."""
    found = _UNTIL.match(name)
    if found is None:
        return None
    try:
        return datetime.strptime(found["until"], _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def base_name(name: str) -> str:
    """The name without its end: `signing` of `signing.until.20261125T200000Z`."""
    found = _UNTIL.match(name)
    return name if found is None else found["name"]


def valid(secrets: Mapping[str, str], moment: datetime) -> dict[str, str]:
    """Those that have not ended."""
    return {name: value for name, value in secrets.items() if (end := ends(name)) is None or end > moment}


def next_end(secrets: Mapping[str, str], moment: datetime) -> datetime | None:
    """When the next one ends."""
    return min((end for name in secrets if (end := ends(name)) is not None and end > moment), default=None)


def rotated(secrets: Mapping[str, str], name: str, value: str, until: datetime, moment: datetime) -> dict[str, str]:
    """The new secret in the place of the old one, which works on until `until`; what has ended is dropped."""
    out = valid(secrets, moment)
    old = out.get(name)
    if old is not None and until > moment:
        out[f"{name}.until.{until.astimezone(UTC).strftime(_FORM)}"] = old
    return out | {name: value}


def masked(secrets: Mapping[str, str]) -> dict[str, str]:
    """For people: that there is one, and where it comes from (`env:NAME`, `file:PATH`), never its value."""
    return {
        name: value if value.startswith(("env:", "file:")) else "********" if value else ""
        for name, value in sorted(secrets.items())
    }
