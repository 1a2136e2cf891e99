"""Acts on what citizens asked on a portal: list the questions, send an answer back."""

from __future__ import annotations

import dataclasses
import time

from pydantic import Field

from hub.admin import subscribers
from hub.admin.acts.act import Act, Http, Right, names
from hub.admin.acts.fields import Named
from hub.config import Settings
from hub.connect.portal import Answer, make_portal
from hub.connect.questions import Question, QuestionReply, opened
from hub.control.audit import Actor, Target, acting
from hub.control.vault import vault
from hub.errors import BadRecord, ConfigError, Rejected
from hub.model import codes
from hub.untyped import JsonObject


class Questions(Named):
    """Which questions of a portal."""

    all: bool = Field(False, description="also those that have an answer")
    agency: str = Field("", description="only those put to this agency and its parts, either form")
    by_agencies: bool = Field(False, description="those that agencies wrote themselves")


class QuestionAnswer(Named):
    """An agency's answer to a question."""

    question: str
    text: str = Field(min_length=1)
    by: str = Field(description="who answers (NGUOITRALOI)")
    position: str = Field("", description="as what (CHUCVUNGUOITRALOI)")
    replace: bool = Field(False, description="send it though another answer stands there")


async def _list(settings: Settings, given: Questions, by: Actor) -> list[JsonObject]:
    own = _agency(given.agency)
    async with opened(make_portal(await subscribers.get(settings, given.name), vault(settings))) as portal:
        if portal is None:
            raise _no_call(given.name)
        found = await portal.questions("agencies" if given.by_agencies else "citizens")
    return [dataclasses.asdict(one) for one in found if (given.all or not one.answer) and _is_for(one, own)]


def _agency(text: str) -> str:
    try:
        return codes.agency(text).normal if text else ""
    except BadRecord as error:
        raise ConfigError("agency", error.detail) from None


def _is_for(question: Question, agency: str) -> bool:
    """A question with an agency code that is none is everybody's."""
    return not agency or codes.normal(question.agency_code) is None or codes.covers((agency,), question.agency_code)


async def _answer(settings: Settings, given: QuestionAnswer, by: Actor) -> JsonObject:
    """Whatever comes of it, the audit tells. sent: False where this answer stands there already."""
    async with acting(settings, by, "question.answer", _target(given)):
        sent = await _send(settings, given)
    return {"question": given.question, "sent": sent is not None}


async def _send(settings: Settings, given: QuestionAnswer) -> Answer | None:
    """The question must stand in the list: it says which agency it was put to."""
    async with opened(make_portal(await subscribers.get(settings, given.name), vault(settings))) as portal:
        if portal is None:
            raise _no_call(given.name)
        asked = next((one for one in await portal.questions("citizens") if one.id == given.question), None)
        if asked is None:
            raise Rejected("unknown", f"{given.name} lists no question {given.question!r}")
        moment = int(time.time() * 1000)
        reply = QuestionReply(given.question, asked.agency_code, given.text, given.by, given.position, moment)
        return await portal.answer_question(reply, given.replace)


def _no_call(name: str) -> Rejected:
    return Rejected("unsupported", f"{name} has no calls for questions")


def _target(given: QuestionAnswer) -> Target:
    return Target(kind="question", name=f"{given.name} {given.question}")


_AT = "/v1/subscribers/{name}/questions"
ACTS: tuple[Act, ...] = (  # type: ignore[type-arg]
    Act("question.list", "Questions without an answer on a portal", Questions, Right.SEE,
        Http("GET", _AT, "questions"), ("questions", "list"), names("subscriber"), _list, answers=list[JsonObject]),
    Act("question.answer", "Send an answer to a question; the audit tells who did", QuestionAnswer, Right.OPERATE,
        Http("POST", f"{_AT}/{{question}}/answer", "answer"), ("questions", "answer"), _target, _answer),
)  # fmt: skip
