"""What an outcome leaves on Kafka, in the order in which it must be confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.events.envelope import Headers

Out = tuple[str, bytes | None, bytes | None, Headers]
"""Topic, key, value, headers of a record to be written."""


def nothing() -> None:
    """Nothing follows."""


@dataclass(slots=True)
class Settlement:
    """first: receipts, dead letters. then: parking records. A crash between them repeats an attempt, loses nothing.
    `done` runs when the broker has confirmed both.
    """

    first: list[Out] = field(default_factory=list)
    then: list[Out] = field(default_factory=list)
    done: Callable[[], None] = nothing
