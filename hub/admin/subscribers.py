"""Adding, changing and removing subscribers; the same for `hub subscribers` and for HTTP.

Each change is one write together with its audit entry, over what its maker saw: else ChangedMeanwhile. The delivery
role follows hub.control, so a pause, a new filter or a new secret takes effect at its next attempt; the supervisor
starts the role of a new subscriber.
"""

from __future__ import annotations

import base64
import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from hub.admin.names import NameIsTaken, NoSuchName
from hub.config import Settings
from hub.connect.portal import Portal, make_portal
from hub.control import secrets, subscriber_filter
from hub.control.audit import Actor, Target, acting, record
from hub.control.changes import ANY, Change
from hub.control.changes import change as change_records
from hub.control.delivery_limits import own_limits
from hub.control.directory import directory
from hub.control.records import BackfillProgress, Subscriber, now
from hub.control.vault import is_reference, is_sealed, vault
from hub.errors import ConfigError, Rejected, Retryable
from hub.kafka.topic_admin import ensure
from hub.kafka.topics import subscriber_topics
from hub.untyped import JsonObject

OVERLAP = timedelta(hours=24)
"""How long a rotated signing secret works on, unless said otherwise."""

SIGNING = "signing"
SECRET_BYTES = 32


class UnknownSubscriber(NoSuchName):
    """There is no subscriber of that name."""

    def __init__(self, name: str) -> None:
        super().__init__("name", f"there is no subscriber {name!r}; see `hub subscribers list`")


class NameTaken(NameIsTaken):
    """There is one already."""

    def __init__(self, name: str) -> None:
        super().__init__("name", f"subscriber {name!r} exists; change it, or choose another name")


@dataclass(frozen=True, slots=True)
class Tested:
    """What a probe showed. kind: short word of hub.errors, "" if all is well."""

    ok: bool
    kind: str
    message: str
    seconds: float


def checked(values: Mapping[str, Any], settings: Settings, filter_too: bool = True) -> Subscriber:
    """A subscriber whose record, limits and connector settings are right; ConfigError names the field that is not.

    filter_too: each entry of its filter can admit something. False where the filter is not what is changed: one that
    an older version took does not bar the rotation of a secret.
    """
    try:
        subscriber = Subscriber.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(".".join(str(part) for part in first["loc"]), first["msg"]) from None
    own_limits(subscriber, settings.delivery)
    portal = make_portal(subscriber, vault(settings))
    if filter_too:
        subscriber_filter.check(subscriber.filter, portal.families)
    return subscriber


def _refuse_references(given: Mapping[str, str], by: Actor) -> None:
    """ConfigError: a caller over HTTP may not name what the hub reads here; it would be sent to wherever he likes."""
    if by.remote:
        for name, value in given.items():
            if is_reference(value):
                raise ConfigError(
                    f"secrets.{name}", "env: and file: are set at the command line only; over HTTP give the value"
                )


async def add(settings: Settings, values: Mapping[str, Any], by: Actor) -> Subscriber:
    """A new one: its topics, then its record. It gets what `backfill` says, then what comes. NameTaken if it exists."""
    async with acting(settings, by, "subscriber.add", _target(str(values.get("name", "")))) as act:
        _refuse_references(dict(values.get("secrets") or {}), by)
        subscriber = checked(dict(values) | {"created_at": now()}, settings)
        async with directory(settings) as copy:
            if subscriber.name in copy.subscribers:
                raise NameTaken(subscriber.name)
        await ensure(settings, subscriber_topics(subscriber.name))
        # Whatever a namesake left of its backfill does not count.
        forget = Change(BackfillProgress, subscriber.name, ANY, None)
        made = Change(Subscriber, subscriber.name, None, subscriber)
        await change_records(settings, forget, made, entry=act.done())
    return subscriber


async def every(settings: Settings) -> list[JsonObject]:
    """All of them as people may see them, by name."""
    async with directory(settings) as copy:
        return [public(one, copy.backfills.get(name)) for name, one in sorted(copy.subscribers.items())]


async def show(settings: Settings, name: str) -> JsonObject:
    """One as people may see it. UnknownSubscriber."""
    async with directory(settings) as copy:
        if name not in copy.subscribers:
            raise UnknownSubscriber(name)
        return public(copy.subscribers[name], copy.backfills.get(name))


async def get(settings: Settings, name: str) -> Subscriber:
    """The record itself. UnknownSubscriber."""
    async with directory(settings) as copy:
        if name not in copy.subscribers:
            raise UnknownSubscriber(name)
        return copy.subscribers[name]


async def change(settings: Settings, name: str, changes: Mapping[str, Any], by: Actor) -> Subscriber:
    """Sets title, filter or settings (whole; `set`: some of them). Kind, secrets and backfill have their own ways."""
    told = sorted({"settings" if field == "set" else field for field in changes})
    async with acting(settings, by, "subscriber.change", _target(name), ", ".join(told)) as act:
        old, new = await changed(settings, name, changes)
        await change_records(settings, Change(Subscriber, name, old, new), entry=act.done())
    return new


async def changed(settings: Settings, name: str, changes: Mapping[str, Any]) -> tuple[Subscriber, Subscriber]:
    """(as it is, as it would be). ConfigError."""
    old = await get(settings, name)
    allowed = {field: changes[field] for field in ("title", "filter", "settings") if field in changes}
    if "set" in changes:
        allowed["settings"] = allowed.get("settings", old.settings) | changes["set"]
    return old, checked(old.model_dump() | allowed, settings, filter_too="filter" in allowed)


async def pause(settings: Settings, name: str, paused: bool, by: Actor) -> Subscriber:
    """Paused: nothing is attempted, events queue up. Resumed: they go out in order."""
    async with acting(settings, by, f"subscriber.{'pause' if paused else 'resume'}", _target(name)) as act:
        old = await get(settings, name)
        new = old.model_copy(update={"paused": paused})
        await change_records(settings, Change(Subscriber, name, old, new), entry=act.done())
    return new


async def rotate_secret(
    settings: Settings,
    name: str,
    by: Actor,
    secret: str = SIGNING,
    value: str | None = None,
    overlap: timedelta | None = None,
) -> tuple[str, Subscriber]:
    """(the new value, the subscriber). A signing secret is generated if none is given (`whsec_…`, Standard Webhooks)
    and the old one signs beside it for `overlap` (default 24 h); another secret is replaced at once."""
    async with acting(settings, by, "subscriber.rotate-secret", _target(name), secret) as act:
        old = await get(settings, name)
        value = _new_value(old, secret, value)
        _refuse_references({secret: value}, by)
        moment = now()
        lasts = overlap if overlap is not None else OVERLAP if secret.startswith(SIGNING) else timedelta(0)
        usable = _without_lost(settings, old, secret)
        kept = secrets.rotated(usable, secret, value, moment + lasts, moment)
        new = checked(old.model_dump() | {"secrets": kept}, settings, filter_too=False)
        await change_records(settings, Change(Subscriber, name, old, new), entry=act.done())
    return value, new


def _new_value(old: Subscriber, secret: str, value: str | None) -> str:
    """The value to put in; ConfigError: there is no such secret, or none was given and the hub cannot make one up."""
    signing = secret.startswith(SIGNING)
    if secrets.ends(secret) is not None or (secret not in old.secrets and not signing):
        known = ", ".join(sorted(one for one in old.secrets if secrets.ends(one) is None)) or "none"
        raise ConfigError("secret", f"{old.name} has no secret {secret!r}; it has: {known}")
    if value is None and not signing:
        raise ConfigError("value", f"the hub cannot make up a {secret}; give the new value")
    return new_signing_secret() if value is None else value


def _without_lost(settings: Settings, subscriber: Subscriber, secret: str) -> dict[str, str]:
    """The secrets but for values of this one that nobody can open any more: the hub's key is lost."""
    keeper, out = vault(settings), dict(subscriber.secrets)
    for name, value in subscriber.secrets.items():
        if secrets.base_name(name) == secret and is_sealed(value):
            try:
                keeper.open(subscriber.name, name, value)
            except ConfigError:
                del out[name]
    return out


async def probe(settings: Settings, name: str, by: Actor) -> Tested:
    """A probe from this process, with the connector's own settings; no event is sent."""
    async with acting(settings, by, "subscriber.test", _target(name)) as act:
        found = await _probe(make_portal(await get(settings, name), vault(settings)))
        await record(settings, act.done(found.kind or "ok"))
    return found


async def _probe(portal: Portal) -> Tested:
    began = time.monotonic()
    kind, message = "", "the portal is there and lets the hub in"
    await portal.open()
    try:
        await portal.probe()
    except Retryable as error:
        kind, message = error.kind, str(error)
    except Rejected as error:
        kind, message = error.reason, str(error)
    finally:
        with contextlib.suppress(Exception):
            await portal.close()
    return Tested(not kind, kind, message, round(time.monotonic() - began, 3))


async def remove(settings: Settings, name: str, by: Actor) -> None:
    """Nothing is due to it any more; its role stops. Its topics are left: what stands there was written for it."""
    async with acting(settings, by, "subscriber.remove", _target(name)) as act:
        old = await get(settings, name)
        forget = Change(BackfillProgress, name, ANY, None)
        await change_records(settings, Change(Subscriber, name, old, None), forget, entry=act.done())


def _target(name: str) -> Target:
    return Target(kind="subscriber", name=name)


def new_signing_secret() -> str:
    """32 random bytes in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def public(subscriber: Subscriber, progress: BackfillProgress | None) -> JsonObject:
    """Without secret values. backfilled: None before its role ran for the first time."""
    out = subscriber.model_dump(mode="json")
    out["secrets"] = secrets.masked(secrets.valid(subscriber.secrets, now()))
    out["backfilled"] = progress.done if progress else None
    return out
