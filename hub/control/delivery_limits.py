"""A subscriber's own limits: `settings.delivery` of its control record overrides the hub's delivery settings."""

from __future__ import annotations

from pydantic import ValidationError

from hub.config import DeliverySettings
from hub.control.records import Subscriber
from hub.errors import ConfigError

ATTEMPT_CALLS = 4
"""An attempt may make several calls (session, look-up, dossier, lines): it is cut off after so many time limits."""


def own_limits(subscriber: Subscriber, shared: DeliverySettings) -> DeliverySettings:
    """The limits in force for this subscriber. ConfigError names the field that is wrong."""
    own = subscriber.settings.get("delivery")
    if own is None:
        return shared
    try:
        return DeliverySettings.model_validate(shared.model_dump() | dict(own))
    except (ValidationError, TypeError, ValueError) as error:
        where: tuple[int | str, ...] = ()
        message = str(error)
        if isinstance(error, ValidationError):
            where, message = error.errors()[0]["loc"], error.errors()[0]["msg"]
        raise ConfigError(".".join(("settings", "delivery", *map(str, where))), message) from None
