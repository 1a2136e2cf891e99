"""Satisfaction summed up over a month (đánh giá mức độ hài lòng), and the protocol of a portal that takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hub.delivery.portal import Answer, Portal

VERY, CONTENT = 5, 3
"""Least rating that counts as rất hài lòng, and as hài lòng; below: chưa hài lòng. The portal's own scale has three
steps, the hub's five; where they meet is ours."""


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """month: as 2026-10. at: when it was summed up, epoch ms. very, content, not_content: ratings of each kind."""

    month: str
    at: int
    very: int
    content: int
    not_content: int

    @property
    def total(self) -> int:
        return self.very + self.content + self.not_content


def summed_up(month: str, at: int, ratings: Iterable[int]) -> Satisfaction:
    """ratings: 1 to 5, one a dossier."""
    given = list(ratings)
    very = sum(rating >= VERY for rating in given)
    content = sum(CONTENT <= rating < VERY for rating in given)
    return Satisfaction(month, at, very, content, len(given) - very - content)


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
