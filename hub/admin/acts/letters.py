"""Acts on dead letters: list, count, show, reveal, replay, skip."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from hub.admin import letter_list
from hub.admin.acts import letters_back
from hub.admin.acts.act import Act, Http, Input, Right
from hub.admin.acts.fields import Rate, Since
from hub.admin.acts.run import Run
from hub.admin.replay import Action
from hub.config import Settings
from hub.control.audit import Actor, Target, acting, record
from hub.deadletter import browse, masked_view
from hub.deadletter.filters import Filter
from hub.deadletter.reasons import REASONS, STAGES
from hub.errors import ConfigError
from hub.registry.client import open_codec
from hub.untyped import JsonObject

KIND = "dead-letters"


class Letters(Input):
    """Which dead letters; what is left out admits all."""

    ids: tuple[str, ...] = ()
    stage: str = Field("", description=", ".join(STAGES))
    reason: str = Field("", description="a word as the counts show it")
    subscriber: str = Field("", description="only what was not delivered to this one")
    since: Since = 0
    dossier: str = Field("", description="dossier, procedure or service code")

    @field_validator("stage", "reason")
    @classmethod
    def _known(cls, word: str, info: object) -> str:
        name: str = getattr(info, "field_name", "")
        known = STAGES if name == "stage" else REASONS
        if word and word not in known:
            raise ConfigError(name, f"{word!r} is none of {', '.join(known)}")
        return word

    @property
    def filter(self) -> Filter:
        return Filter(frozenset(self.ids), self.stage, self.reason, self.subscriber, self.dossier, self.since)


class LetterCounts(Letters):
    """closed: also those that were replayed or skipped."""

    closed: bool = Field(False, description="also those that were replayed or skipped")


class LetterList(LetterCounts):
    """The newest first."""

    limit: int = Field(50, ge=1, description="at most so many, the newest first")


class Letter(Input):
    """One letter."""

    id: str


class LettersBack(Letters):
    """Those that are to be sent back, or given up."""

    ACTION: ClassVar[Action]
    all: bool = Field(False, description="needed when neither ids nor a filter are given")
    again: bool = Field(False, description="also those that were replayed or skipped before")
    rate: Rate = None

    @model_validator(mode="after")
    def _bounded(self) -> LettersBack:
        if self.filter.empty and not self.all:
            raise ConfigError("filter", f"give ids or a filter, or say --all to {self.ACTION} every dead letter")
        return self


class LettersReplay(LettersBack):
    """Those that are to be sent back."""

    ACTION = "replay"


class LettersSkip(LettersBack):
    """Those that are to be given up."""

    ACTION = "skip"


async def _list(settings: Settings, given: LetterList, by: Actor) -> list[JsonObject]:
    return [letter_list.row(one) for one in await letter_list.newest(settings, given.filter, given.limit, given.closed)]


async def _counts(settings: Settings, given: LetterCounts, by: Actor) -> list[JsonObject]:
    found = await letter_list.counts(settings, given.filter, given.closed)
    return [{"stage": stage, "reason": reason, "count": number} for (stage, reason), number in found.most_common()]


async def _show(settings: Settings, given: Letter, by: Actor) -> JsonObject:
    return masked_view.document(await browse.one(settings, given.id), await open_codec(settings), False)


async def _reveal(settings: Settings, given: Letter, by: Actor) -> JsonObject:
    async with acting(settings, by, "dead-letters.reveal", Target(kind=KIND, name=given.id)) as act:
        found = masked_view.document(await browse.one(settings, given.id), await open_codec(settings), True)
        await record(settings, act.done())  # before anything is shown
    return found


async def _preview(settings: Settings, given: LettersBack) -> JsonObject:
    return await letters_back.preview(settings, _wanted(given))


async def _job(run: Run, given: LettersBack) -> None:
    await letters_back.job(run, _wanted(given))


def _wanted(given: LettersBack) -> letters_back.Wanted:
    return letters_back.Wanted(given.filter, given.ACTION, given.again, given.rate)


def _target(given: LettersBack | Letters) -> Target:
    """`dead-letters/stage=core reason=date`; a single letter by its id."""
    words = given.filter.words()
    name = words["ids"] if set(words) == {"ids"} else " ".join(f"{word}={value}" for word, value in words.items())
    return Target(kind=KIND, name=name)


def _one(given: Letter) -> Target:
    return Target(kind=KIND, name=given.id)


_AT = "/v1/dead-letters"
ACTS: tuple[Act, ...] = (  # type: ignore[type-arg]
    Act("dead-letters.list", "Open dead letters by filter, the newest first", LetterList, Right.SEE,
        Http("GET", _AT, "letters"), ("dead-letters", "list"), _target, _list, answers=list[JsonObject]),
    Act("dead-letters.counts", "How many, by stage and reason", LetterCounts, Right.SEE,
        Http("GET", f"{_AT}/counts", "letter_counts"), ("dead-letters", "list"), _target, _counts,
        answers=list[JsonObject]),
    Act("dead-letters.show", "One dead letter, personal data hidden", Letter, Right.SEE,
        Http("GET", f"{_AT}/{{id}}", "letter"), ("dead-letters", "show"), _one, _show),
    Act("dead-letters.reveal", "One dead letter with personal data in clear; goes into the audit", Letter, Right.REVEAL,
        Http("POST", f"{_AT}/{{id}}/reveal", "reveal"), ("dead-letters", "show"), _one, _reveal),
    Act("dead-letters.replay", "Send dead letters back: to hub.ingress, or to the subscriber that could not take them",
        LettersReplay, Right.OPERATE, Http("POST", f"{_AT}/replay", "replay", 202), ("dead-letters", "replay"),
        _target, job=_job, preview=_preview),
    Act("dead-letters.skip", "Give undelivered events up, so that what waits behind them in their dossier goes on",
        LettersSkip, Right.OPERATE, Http("POST", f"{_AT}/skip", "skip", 202), ("dead-letters", "skip"),
        _target, job=_job, preview=_preview),
)  # fmt: skip
