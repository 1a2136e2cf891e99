"""A subscriber's settings and secrets as a connector reads them; what is wrong is named as a field of the record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hub.control.records import Subscriber
from hub.errors import ConfigError


class ConnectorSettings(BaseModel):
    """Base of every connector's settings: unknown names are refused, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """A secret's value; ConfigError if it is not there."""
    return resolve_secret(subscriber.secrets.get(name, ""), f"secrets.{name}")


def resolve_secret(given: str, field: str) -> str:
    """Literal, `env:NAME` or `file:PATH` (without the line end). ConfigError naming `field` if it is empty."""
    value = given
    if given.startswith("env:"):
        value = os.environ.get(given[4:], "")
    elif given.startswith("file:"):
        try:
            value = Path(given[5:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(field, f"cannot read {given[5:]}: {error}") from None
    if not value:
        where = f" ({given})" if given else ""
        raise ConfigError(field, f"is empty{where}; give it as literal, env:NAME or file:PATH")
    return value
