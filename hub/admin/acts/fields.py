"""What several inputs share: times as people give them, and names."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from hub.admin.acts.act import Input
from hub.admin.since import since_ms

_TIME = {"type": "string", "default": "", "description": "90m, 24h, 7d back from now, or an RFC 3339 time or a date"}


def _time(field: str) -> BeforeValidator:
    """Epoch milliseconds of what was given; a number was read before. ConfigError."""
    return BeforeValidator(lambda given: since_ms(given, option=field) if isinstance(given, str) else given)


Since = Annotated[int, _time("since"), WithJsonSchema(_TIME)]
Until = Annotated[int, _time("until"), WithJsonSchema(_TIME)]
Rate = Annotated[float | None, Field(gt=0, description="at most so many a second; left out: as fast as it goes")]


class Named(Input):
    """One thing, by its name."""

    name: str
