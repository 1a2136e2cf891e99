"""What an act is: its name, what it is told, the right that it needs, and how it is previewed and carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hub.admin.acts.run import Run
from hub.config import Settings
from hub.control.audit import Actor, Target
from hub.errors import ConfigError, Refused
from hub.untyped import JsonObject, SettingsTable


class Right(StrEnum):
    """What somebody may do. SEE: nothing changes, personal data is hidden. OPERATE: the daily work. MANAGE: who takes
    part, with keys and secrets. REVEAL: personal data in clear."""

    SEE = "see"
    OPERATE = "operate"
    MANAGE = "manage"
    REVEAL = "reveal"


RIGHTS: Mapping[str, frozenset[Right]] = {"operator": frozenset(Right)}
"""Role of an actor -> its rights. Who is not named here has none."""


class Forbidden(Refused):
    """Who asks has not the right that the act needs."""


class Input(BaseModel):
    """What an act is told, in the same words from command line, HTTP and console."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Input):
    """For an act that is told nothing."""


@dataclass(frozen=True, slots=True)
class Http:
    """Where the act is on HTTP. Names in braces are fields of its input. operation: its name in OpenAPI."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    operation: str
    status: int = 200


I = TypeVar("I", bound=Input)  # noqa: E741


@dataclass(frozen=True, slots=True)
class Act(Generic[I]):
    """run: a short act; gives the answer. job: a long one; it is carried out by `hub.admin.acts.running`.

    name:    as the audit calls it, `subscriber.pause`.
    preview: what would be done, with counts; changes nothing.
    target:  on what, for the audit, where the act does not tell of itself: refusals before it began, long acts.
    cli:     the words of its command.
    answers: the type of what `run` gives, for OpenAPI.
    """

    name: str
    says: str
    input: type[I]
    right: Right
    http: Http
    cli: tuple[str, ...]
    target: Callable[[I], Target]
    run: Callable[[Settings, I, Actor], Awaitable[Any]] | None = None
    job: Callable[[Run, I], Awaitable[None]] | None = None
    preview: Callable[[Settings, I], Awaitable[JsonObject]] | None = None
    answers: Any = JsonObject

    @property
    def long(self) -> bool:
        return self.job is not None

    def read(self, values: SettingsTable) -> I:
        """The input. ConfigError names the field that is wrong, and how."""
        try:
            return self.input.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            raise ConfigError(".".join(str(part) for part in first["loc"]), first["msg"]) from None

    def allow(self, by: Actor) -> None:
        """Forbidden: this actor has not the right."""
        if self.right not in RIGHTS.get(by.role, frozenset()):
            raise Forbidden(f"{self.name} needs the right {self.right.value!r}, which the role {by.role!r} has not")


def names(kind: str) -> Callable[[Any], Target]:
    """The target of an act on one thing that its input calls `name`."""
    return lambda given: Target(kind=kind, name=given.name)
