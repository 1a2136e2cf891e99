"""Adding, changing and removing subscribers; the same for `hub subscribers` and for HTTP.

Each change is one write together with its audit entry. The delivery role follows hub.control, so a pause, a new filter
or a new secret takes effect at its next attempt; the supervisor starts the role of a new subscriber.
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

from hub.config import Settings
from hub.connect.portal import make_portal
from hub.control import audit, secrets, subscriber_filter
from hub.control.delivery_limits import own_limits
from hub.control.directory import directory, write
from hub.control.records import BackfillProgress, Subscriber, now
from hub.control.vault import is_sealed, vault
from hub.errors import ConfigError, Rejected, Retryable
from hub.kafka.topic_admin import ensure
from hub.kafka.topics import subscriber_topics
from hub.untyped import JsonObject

OVERLAP = timedelta(hours=24)
"""How long a rotated signing secret works on, unless said otherwise."""

SIGNING = "signing"
SECRET_BYTES = 32


class UnknownSubscriber(ConfigError):
    """There is no subscriber of that name."""

    def __init__(self, name: str) -> None:
        super().__init__("name", f"there is no subscriber {name!r}; see `hub subscribers list`")


class NameTaken(ConfigError):
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


async def add(settings: Settings, values: Mapping[str, Any], who: str, why: str = "") -> Subscriber:
    """A new one: its topics, then its record. It gets what `backfill` says, then what comes. NameTaken if it exists."""
    subscriber = checked(dict(values) | {"created_at": now()}, settings)
    async with directory(settings) as copy:
        if subscriber.name in copy.subscribers:
            raise NameTaken(subscriber.name)
    await ensure(settings, subscriber_topics(subscriber.name))
    # Whatever a namesake left of its backfill does not count.
    forget = (BackfillProgress, subscriber.name)
    await write(settings, forget, subscriber, audit.entry(who, "subscriber.add", subscriber.name, why))
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


async def change(settings: Settings, name: str, changes: Mapping[str, Any], who: str, why: str = "") -> Subscriber:
    """Sets title, filter or settings (whole). Kind, secrets and backfill have their own ways."""
    old = await get(settings, name)
    allowed = {field: changes[field] for field in ("title", "filter", "settings") if field in changes}
    new = checked(old.model_dump() | allowed, settings, filter_too="filter" in allowed)
    target = f"{name}: {', '.join(sorted(allowed))}"
    await write(settings, new, audit.entry(who, "subscriber.change", target, why))
    return new


async def pause(settings: Settings, name: str, paused: bool, who: str, why: str = "") -> Subscriber:
    """Paused: nothing is attempted, events queue up. Resumed: they go out in order."""
    new = (await get(settings, name)).model_copy(update={"paused": paused})
    await write(settings, new, audit.entry(who, f"subscriber.{'pause' if paused else 'resume'}", name, why))
    return new


async def rotate_secret(
    settings: Settings,
    name: str,
    who: str,
    why: str = "",
    secret: str = SIGNING,
    value: str | None = None,
    overlap: timedelta | None = None,
) -> tuple[str, Subscriber]:
    """(the new value, the subscriber). A signing secret is generated if none is given (`whsec_…`, Standard Webhooks)
    and the old one signs beside it for `overlap` (default 24 h); another secret is replaced at once."""
    old = await get(settings, name)
    signing = secret.startswith(SIGNING)
    if secrets.ends(secret) is not None or (secret not in old.secrets and not signing):
        known = ", ".join(sorted(one for one in old.secrets if secrets.ends(one) is None)) or "none"
        raise ConfigError("secret", f"{name} has no secret {secret!r}; it has: {known}")
    if value is None:
        if not signing:
            raise ConfigError("value", f"the hub cannot make up a {secret}; give the new value")
        value = new_signing_secret()
    moment = now()
    lasts = overlap if overlap is not None else OVERLAP if signing else timedelta(0)
    usable = _without_lost(settings, old, secret)
    kept = secrets.rotated(usable, secret, value, moment + lasts, moment)
    new = checked(old.model_dump() | {"secrets": kept}, settings, filter_too=False)
    await write(settings, new, audit.entry(who, "subscriber.rotate-secret", f"{name}: {secret}", why))
    return value, new


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


async def probe(settings: Settings, name: str, who: str, why: str = "") -> Tested:
    """A probe from this process, with the connector's own settings; no event is sent."""
    subscriber = await get(settings, name)
    portal = make_portal(subscriber, vault(settings))
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
    seconds = round(time.monotonic() - began, 3)
    await write(settings, audit.entry(who, "subscriber.test", f"{name}: {kind or 'ok'}", why))
    return Tested(not kind, kind, message, seconds)


async def remove(settings: Settings, name: str, who: str, why: str = "") -> None:
    """Nothing is due to it any more; its role stops. Its topics are left: what stands there was written for it."""
    await get(settings, name)
    await write(
        settings, (Subscriber, name), (BackfillProgress, name), audit.entry(who, "subscriber.remove", name, why)
    )


def new_signing_secret() -> str:
    """32 random bytes in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def public(subscriber: Subscriber, progress: BackfillProgress | None) -> JsonObject:
    """Without secret values. backfilled: None before its role ran for the first time."""
    out = subscriber.model_dump(mode="json")
    out["secrets"] = secrets.masked(secrets.valid(subscriber.secrets, now()))
    out["backfilled"] = progress.done if progress else None
    return out
