"""Satisfaction summed up over a month (đánh giá mức độ hài lòng), and the protocol of a portal that takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hub.connect.portal import Answer, Portal

STARS = 5


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """month: as 2026-10. at: when it was summed up, epoch ms. counts: ratings of one star, of two … of five."""

    month: str
    at: int
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)

    def between(self, least: int, most: int) -> int:
        """Ratings of so many stars."""
        return sum(self.counts[least - 1 : most])


def summed_up(month: str, at: int, ratings: Iterable[int]) -> Satisfaction:
    """ratings: 1 to 5, one a dossier."""
    given = list(ratings)
    return Satisfaction(month, at, tuple(given.count(star) for star in range(1, STARS + 1)))


@runtime_checkable
class TakesSatisfaction(Protocol):
    """A `Portal` that has a call for it."""

    async def send_satisfaction(self, told: Satisfaction) -> Answer:
        """Retryable or Rejected, as `deliver`. Sent again for the same month it replaces what was sent before, as far
        as the portal keeps one a month."""
        ...


async def send(portal: Portal, told: Satisfaction) -> Answer | None:
    """None: this portal has no call for it."""
    if not isinstance(portal, TakesSatisfaction):
        return None
    await portal.open()
    try:
        return await portal.send_satisfaction(told)
    finally:
        await portal.close()
