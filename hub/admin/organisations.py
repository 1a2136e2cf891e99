"""Adding, changing and removing organisations: each change is written together with its audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pydantic import ValidationError

from hub.admin.names import NameIsTaken, NoSuchName
from hub.config import Settings
from hub.control import keys
from hub.control.audit import Actor, Target, acting
from hub.control.changes import Change
from hub.control.changes import change as change_records
from hub.control.directory import directory
from hub.control.records import Organisation, now
from hub.control.rights import EVERYTHING
from hub.errors import BadRecord, ConfigError
from hub.kafka.topic_admin import ensure
from hub.kafka.topics import agency_topic
from hub.model import codes
from hub.untyped import JsonObject, SettingsTable

NO_ROLE = (
    "role: organisations have none any more and it is left out; it never changed what one may do. "
    "source, agency, family and joint say that. The next version does not know the word."
)

KIND = "organisation"
"""What the audit calls it."""

OVERLAP = timedelta(hours=24)
"""How long a rotated key works on, unless said otherwise."""


class UnknownOrganisation(NoSuchName):
    """There is no organisation of that name."""

    def __init__(self, name: str) -> None:
        super().__init__("name", f"there is no organisation {name!r}; see `hub organisations list`")


class NameTaken(NameIsTaken):
    """There is one already."""

    def __init__(self, name: str) -> None:
        super().__init__("name", f"organisation {name!r} exists; change it, or choose another name")


async def add(settings: Settings, organisation: Organisation, by: Actor) -> str:
    """Writes a new organisation and returns its API key, which is stored nowhere. NameTaken if there is one."""
    async with acting(settings, by, "organisation.add", Target(kind=KIND, name=organisation.name)) as act:
        async with directory(settings) as copy:
            if organisation.name in copy.organisations:
                raise NameTaken(organisation.name)
        key = keys.generate()
        new = organisation.model_copy(update={"key_hashes": (keys.digest(key),), "key_until": {}})
        await _open_topic(settings, new)
        await change_records(settings, Change(Organisation, new.name, None, new), entry=act.done())
    return key


async def get(settings: Settings, name: str) -> Organisation:
    async with directory(settings) as copy:
        if name not in copy.organisations:
            raise UnknownOrganisation(name)
        return copy.organisations[name]


async def every(settings: Settings) -> Sequence[Organisation]:
    """All of them, by name."""
    async with directory(settings) as copy:
        return [o for _, o in sorted(copy.organisations.items())]


async def change(settings: Settings, name: str, changes: SettingsTable, by: Actor) -> Organisation:
    """Sets rights and title (never keys). ConfigError names the field that is wrong."""
    detail = ", ".join(sorted(changes))
    async with acting(settings, by, "organisation.change", Target(kind=KIND, name=name), detail) as act:
        old = await get(settings, name)
        new = checked(old.model_dump() | {k: v for k, v in changes.items() if k not in _NOT_HERE})
        await _open_topic(settings, new)
        await change_records(settings, Change(Organisation, name, old, new), entry=act.done())
    return new


async def rotate_key(
    settings: Settings, name: str, by: Actor, overlap: timedelta = OVERLAP
) -> tuple[str, Organisation]:
    """A new key; those that hold now end after `overlap` (at once if it is zero). Keys that have ended are dropped."""
    async with acting(settings, by, "organisation.rotate-key", Target(kind=KIND, name=name)) as act:
        old = await get(settings, name)
        key, moment = keys.generate(), now()
        ends = {h: min(old.key_until.get(h, moment + overlap), moment + overlap) for h in old.key_hashes}
        ends = {h: end for h, end in ends.items() if end > moment}
        new = old.model_copy(update={"key_hashes": (keys.digest(key), *ends), "key_until": ends})
        await change_records(settings, Change(Organisation, name, old, new), entry=act.done())
    return key, new


async def remove(settings: Settings, name: str, by: Actor) -> None:
    """Its keys stop working at once. Its own topic is left: what stands in it is refused with reason `right`."""
    async with acting(settings, by, "organisation.remove", Target(kind=KIND, name=name)) as act:
        old = await get(settings, name)
        await change_records(settings, Change(Organisation, name, old, None), entry=act.done())


def public(organisation: Organisation) -> JsonObject:
    """Without key hashes: how many keys there are, and until when those that end."""
    out = organisation.model_dump(mode="json", exclude={"key_hashes", "key_until"})
    ends = sorted(end.isoformat() for end in organisation.key_until.values())
    return out | {"keys": len(organisation.key_hashes), "keys_ending": ends}


_NOT_HERE = {"name", "key_hashes", "key_until"}


def checked(values: SettingsTable) -> Organisation:
    """An organisation of these values, agency codes in their new form. ConfigError names the field that is wrong."""
    try:
        wanted = Organisation.model_validate(values)
        for agency in wanted.agencies:
            if agency != EVERYTHING:
                codes.agency(agency)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(".".join(str(p) for p in first["loc"]), first["msg"]) from None
    except BadRecord as error:
        raise ConfigError("agencies", error.detail) from None
    return wanted


async def _open_topic(settings: Settings, organisation: Organisation) -> None:
    """Before the record that makes the intake role read it."""
    if organisation.kafka_topic:
        await ensure(settings, [agency_topic(organisation.name)])
