"""Acts on subscribers: list, show, add, change, pause, resume, rotate a secret, test, look at what waits, remove."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.admin import kafka_users, subscribers
from hub.admin.acts.act import Act, Http, Nothing, Right, names
from hub.admin.acts.fields import Named
from hub.admin.waiting_dossiers import waiting
from hub.config import Settings
from hub.control.audit import Actor, Target
from hub.control.changes import differences
from hub.errors import ConfigError
from hub.untyped import JsonObject, SettingsTable

KIND = "subscriber"


class SubscriberFilter(BaseModel):
    """Which events are due to it; empty lists admit all."""

    model_config = ConfigDict(extra="forbid")

    agencies: list[str] = Field([], description="agency codes, in either form; a prefix admits its parts")
    procedures: list[str] = Field([], description="procedure codes")
    types: list[str] = Field([], description="event types or step words")


class SubscriberChange(Named):
    """What may be changed later; fields left out stay as they are."""

    title: str | None = None
    filter: SubscriberFilter | None = None
    settings: SettingsTable | None = Field(None, description="the connector's settings, whole")
    set: SettingsTable | None = Field(None, description="single settings of the connector; the others stay")

    def given(self) -> SettingsTable:
        """What is to be changed. ConfigError: nothing was given."""
        out = {field: value for field, value in self.model_dump(exclude={"name"}).items() if value is not None}
        if not out:
            raise ConfigError("change", "nothing to change was given: title, filter or settings")
        return out


class NewSubscriber(Named):
    """A new one."""

    title: str | None = None
    filter: SubscriberFilter | None = None
    settings: SettingsTable | None = Field(None, description="the connector's settings, whole")
    kind: str = Field(description="connector, as national-portal, webhook, kafka-topic")
    secrets: dict[str, str] = Field({}, description="literal, env:NAME or file:PATH; never shown again")
    backfill: Literal["state", "log", "none"] = "state"
    paused: bool = False

    def given(self) -> SettingsTable:
        """Without what was left out."""
        return {field: value for field, value in self.model_dump().items() if value is not None}


class SecretRotation(Named):
    """Which secret, and how."""

    secret: str = subscribers.SIGNING
    value: str | None = Field(None, description="left out: a signing secret is made and is in the answer")
    overlap_hours: float | None = Field(None, ge=0, le=24 * 90, description="how long the old one signs beside it")


async def _list(settings: Settings, given: Nothing, by: Actor) -> list[JsonObject]:
    return await subscribers.every(settings)


async def _show(settings: Settings, given: Named, by: Actor) -> JsonObject:
    return await subscribers.show(settings, given.name)


async def _add(settings: Settings, given: NewSubscriber, by: Actor) -> JsonObject:
    return subscribers.public(await subscribers.add(settings, given.given(), by), None)


async def _would_add(settings: Settings, given: NewSubscriber) -> JsonObject:
    return {"would_add": subscribers.public(subscribers.checked(given.given(), settings), None)}


async def _change(settings: Settings, given: SubscriberChange, by: Actor) -> JsonObject:
    await subscribers.change(settings, given.name, given.given(), by)
    return await subscribers.show(settings, given.name)


async def _would_change(settings: Settings, given: SubscriberChange) -> JsonObject:
    old, new = await subscribers.changed(settings, given.name, given.given())
    return {"would_change": {field: {"from": a, "to": b} for field, (a, b) in differences(old, new).items()}}


async def _pause(settings: Settings, given: Named, by: Actor) -> JsonObject:
    await subscribers.pause(settings, given.name, True, by)
    return await subscribers.show(settings, given.name)


async def _resume(settings: Settings, given: Named, by: Actor) -> JsonObject:
    await subscribers.pause(settings, given.name, False, by)
    return await subscribers.show(settings, given.name)


async def _would_touch(settings: Settings, given: Named) -> JsonObject:
    """What it would be done to: its state, and how many dossiers wait behind one that failed."""
    shown, found = await subscribers.show(settings, given.name), await waiting(settings, given.name)
    return {
        "paused": shown["paused"],
        "waiting_dossiers": len(found),
        "waiting_events": sum(w["events"] for w in found),
    }


async def _rotate(settings: Settings, given: SecretRotation, by: Actor) -> JsonObject:
    overlap = None if given.overlap_hours is None else timedelta(hours=given.overlap_hours)
    value, _ = await subscribers.rotate_secret(settings, given.name, by, given.secret, given.value, overlap)
    made = {} if given.value is not None else {"value": value}
    return await subscribers.show(settings, given.name) | {"secret": given.secret} | made


async def _test(settings: Settings, given: Named, by: Actor) -> JsonObject:
    return asdict(await subscribers.probe(settings, given.name, by))


async def _waiting(settings: Settings, given: Named, by: Actor) -> list[JsonObject]:
    return await waiting(settings, given.name)


async def _kafka_user(settings: Settings, given: Named, by: Actor) -> JsonObject:
    return asdict(await kafka_users.of_subscriber(settings, given.name, by))


async def _remove(settings: Settings, given: Named, by: Actor) -> None:
    await subscribers.remove(settings, given.name, by)


_AT, _ONE, _ON = "/v1/subscribers", "/v1/subscribers/{name}", names(KIND)
ACTS: tuple[Act, ...] = (  # type: ignore[type-arg]
    Act("subscriber.list", "All subscribers; secrets are masked", Nothing, Right.SEE,
        Http("GET", _AT, "every"), ("subscribers", "list"), lambda _: Target(kind=KIND), _list,
        answers=list[JsonObject]),
    Act("subscriber.add", "Add one; its delivery is started by the supervisor", NewSubscriber, Right.MANAGE,
        Http("POST", _AT, "add", 201), ("subscribers", "add"), _ON, _add, preview=_would_add),
    Act("subscriber.show", "One subscriber", Named, Right.SEE,
        Http("GET", _ONE, "show"), ("subscribers", "show"), _ON, _show),
    Act("subscriber.change", "Change title, filter or settings", SubscriberChange, Right.MANAGE,
        Http("PATCH", _ONE, "change"), ("subscribers", "change"), _ON, _change, preview=_would_change),
    Act("subscriber.pause", "Attempt nothing; events queue up", Named, Right.OPERATE,
        Http("POST", f"{_ONE}/pause", "pause"), ("subscribers", "pause"), _ON, _pause, preview=_would_touch),
    Act("subscriber.resume", "Deliver again, in order", Named, Right.OPERATE,
        Http("POST", f"{_ONE}/resume", "resume"), ("subscribers", "resume"), _ON, _resume, preview=_would_touch),
    Act("subscriber.rotate-secret", "A new secret; the old one signs beside it for the overlap", SecretRotation,
        Right.MANAGE, Http("POST", f"{_ONE}/rotate-secret", "rotate"), ("subscribers", "rotate-secret"), _ON, _rotate),
    Act("subscriber.test", "A probe from the gateway; no event is sent", Named, Right.OPERATE,
        Http("POST", f"{_ONE}/test", "probe"), ("subscribers", "test"), _ON, _test),
    Act("subscriber.waiting", "Its parked and held dossiers", Named, Right.SEE,
        Http("GET", f"{_ONE}/waiting", "waiting"), ("subscribers", "waiting"), _ON, _waiting,
        answers=list[JsonObject]),
    Act("subscriber.kafka-user", "A Kafka user for it; its password is in the answer and is stored nowhere", Named,
        Right.MANAGE, Http("POST", f"{_ONE}/kafka-user", "kafka_user"), ("subscribers", "kafka-user"), _ON,
        _kafka_user),
    Act("subscriber.remove", "Remove it: nothing is due to it any more", Named, Right.MANAGE,
        Http("DELETE", _ONE, "remove", 204), ("subscribers", "remove"), _ON, _remove, preview=_would_touch,
        answers=None),
)  # fmt: skip
