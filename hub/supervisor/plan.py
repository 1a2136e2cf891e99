"""Which roles make up this hub: the plan that `hub up` starts and `hub status` expects."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points

from hub.config import Settings

WORKERS = ("core", "reconcile", "projector", "console")
DOORS = ("gateway", "intake")

ALWAYS = ("filedrop",)
"""Sources that always run; every other one runs when it has settings in `sources`."""


def sources(settings: Settings) -> list[str]:
    """Names of the connectors that pull or watch and are to run."""
    installed = {point.name for point in entry_points(group="hub.sources")}
    return sorted(installed & {*ALWAYS, *settings.sources})


def roles(settings: Settings, sources: Iterable[str], subscribers: Iterable[str]) -> list[str]:
    """Every role of this hub in the order of its start; paused subscribers have theirs too."""
    return [
        *(["broker"] if not settings.kafka.bootstrap_servers else []),
        *(["registry"] if not settings.registry.url else []),
        *WORKERS,
        *DOORS,
        *(f"source:{name}" for name in sources),
        *(f"deliver:{name}" for name in subscribers),
    ]
