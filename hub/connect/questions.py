"""Questions that citizens ask on a portal (hỏi đáp), and the protocol of a portal that lists them and takes answers.

The portal keeps questions and answers; the hub keeps neither (decision 12).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from hub.connect.portal import Answer, Portal

Kind = Literal["citizens", "agencies"]
"""citizens: asked on the portal. agencies: written by ministries and agencies themselves, with their answers."""


@dataclass(frozen=True, slots=True)
class Question:
    """id: the portal's. agency_code: who is asked, as the portal writes it. answer: "" if there is none.

    Who asked is not read: the answer goes to the portal, which knows.
    """

    id: str
    text: str
    agency_code: str
    agency_name: str
    field_code: str
    answer: str


@dataclass(frozen=True, slots=True)
class QuestionReply:
    """An agency's answer. by, position: who answers, and as what. at: when, epoch ms."""

    question: str
    agency_code: str
    text: str
    by: str
    position: str
    at: int


@runtime_checkable
class HasQuestions(Protocol):
    """A `Portal` that has calls for them. Both raise Retryable or Rejected, as `deliver`."""

    async def questions(self, kind: Kind) -> list[Question]:
        """All of them, in the portal's order."""
        ...

    async def answer_question(self, reply: QuestionReply, replace: bool) -> Answer | None:
        """Sends it; None if the very same answer stands there already, as after a call whose outcome was unclear.

        Rejected (`conflict`): another answer stands there, and `replace` is false.
        """
        ...


@asynccontextmanager
async def opened(portal: Portal) -> AsyncIterator[HasQuestions | None]:
    """The connection, opened; None: this portal has no calls for questions."""
    if not isinstance(portal, HasQuestions):
        yield None
        return
    await portal.open()
    try:
        yield portal
    finally:
        await portal.close()
