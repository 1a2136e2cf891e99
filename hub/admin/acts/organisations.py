"""Acts on organisations: list, show, add, change, rotate the key, remove, make their Kafka user."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta

from pydantic import Field

from hub.admin import kafka_users, organisations
from hub.admin.acts.act import Act, Http, Input, Nothing, Right, names
from hub.admin.acts.fields import Named
from hub.config import Settings
from hub.control.audit import Actor, Target
from hub.control.changes import differences
from hub.control.records import now
from hub.events.families import NAMES
from hub.untyped import JsonObject, SettingsTable

log = logging.getLogger(__name__)
KIND = organisations.KIND


class OrganisationRights(Input):
    """What may be said of an organisation; fields left out stay as they are."""

    name: str
    title: str | None = None
    role: str | None = Field(
        None, description="of earlier versions; without effect", json_schema_extra={"deprecated": True}
    )
    sources: list[str] | None = Field(None, description="CloudEvents source values, exact")
    agencies: list[str] | None = Field(None, description="agency codes, in either form, or *")
    families: list[str] | None = Field(None, description=", ".join(NAMES))
    joint: bool | None = Field(None, description="true: it may write on others' dossiers while it holds them")
    kafka_topic: bool | None = Field(None, description="true: it produces to its own hub.ingress.<name>")

    def given(self) -> SettingsTable:
        """The rights that were given."""
        if self.role is not None:
            log.warning(organisations.NO_ROLE)
        return {field: value for field, value in self.model_dump(exclude={"role", "name"}).items() if value is not None}


class NewOrganisation(OrganisationRights):
    """A new one; fields left out have their defaults."""


class KeyRotation(Named):
    """When the present keys end."""

    overlap_hours: float = Field(24.0, ge=0, le=24 * 90, description="how long the present keys work on")


async def _list(settings: Settings, given: Nothing, by: Actor) -> list[JsonObject]:
    return [organisations.public(organisation) for organisation in await organisations.every(settings)]


async def _show(settings: Settings, given: Named, by: Actor) -> JsonObject:
    return organisations.public(await organisations.get(settings, given.name))


async def _add(settings: Settings, given: NewOrganisation, by: Actor) -> JsonObject:
    wanted = organisations.checked({"name": given.name} | given.given())
    key = await organisations.add(settings, wanted, by)
    return organisations.public(await organisations.get(settings, wanted.name)) | {"key": key}


async def _would_add(settings: Settings, given: NewOrganisation) -> JsonObject:
    return {"would_add": organisations.public(organisations.checked({"name": given.name} | given.given()))}


async def _change(settings: Settings, given: OrganisationRights, by: Actor) -> JsonObject:
    return organisations.public(await organisations.change(settings, given.name, given.given(), by))


async def _would_change(settings: Settings, given: OrganisationRights) -> JsonObject:
    old = await organisations.get(settings, given.name)
    new = organisations.checked(old.model_dump() | given.given())
    return {"would_change": {field: {"from": a, "to": b} for field, (a, b) in differences(old, new).items()}}


async def _rotate(settings: Settings, given: KeyRotation, by: Actor) -> JsonObject:
    overlap = timedelta(hours=given.overlap_hours)
    key, changed = await organisations.rotate_key(settings, given.name, by, overlap)
    return organisations.public(changed) | {"key": key}


async def _would_rotate(settings: Settings, given: KeyRotation) -> JsonObject:
    present = len((await organisations.get(settings, given.name)).key_hashes)
    end = now() + timedelta(hours=given.overlap_hours)
    return {"would_end": {"keys": present, "at": end.isoformat()}}


async def _remove(settings: Settings, given: Named, by: Actor) -> None:
    await organisations.remove(settings, given.name, by)


async def _would_remove(settings: Settings, given: Named) -> JsonObject:
    return {"would_remove": organisations.public(await organisations.get(settings, given.name))}


async def _kafka_user(settings: Settings, given: Named, by: Actor) -> JsonObject:
    return asdict(await kafka_users.of_agency(settings, given.name, by))


_AT, _ONE, _ON = "/v1/organisations", "/v1/organisations/{name}", names(KIND)
ACTS: tuple[Act, ...] = (  # type: ignore[type-arg]
    Act("organisation.list", "All organisations and their rights", Nothing, Right.SEE,
        Http("GET", _AT, "every"), ("organisations", "list"), lambda _: Target(kind=KIND), _list,
        answers=list[JsonObject]),
    Act("organisation.add", "Add one; the API key is in the answer and is stored nowhere", NewOrganisation,
        Right.MANAGE, Http("POST", _AT, "add", 201), ("organisations", "add"), _ON, _add, preview=_would_add),
    Act("organisation.show", "One organisation", Named, Right.SEE,
        Http("GET", _ONE, "show"), ("organisations", "show"), _ON, _show),
    Act("organisation.change", "Change its rights", OrganisationRights, Right.MANAGE,
        Http("PATCH", _ONE, "change"), ("organisations", "change"), _ON, _change, preview=_would_change),
    Act("organisation.rotate-key", "A new key; the present ones work on for the overlap", KeyRotation, Right.MANAGE,
        Http("POST", f"{_ONE}/rotate-key", "rotate"), ("organisations", "rotate-key"), _ON, _rotate,
        preview=_would_rotate),
    Act("organisation.kafka-user", "A Kafka user for it; its password is in the answer and is stored nowhere", Named,
        Right.MANAGE, Http("POST", f"{_ONE}/kafka-user", "kafka_user"), ("organisations", "kafka-user"), _ON,
        _kafka_user),
    Act("organisation.remove", "Remove it: its keys stop working", Named, Right.MANAGE,
        Http("DELETE", _ONE, "remove", 204), ("organisations", "remove"), _ON, _remove, preview=_would_remove,
        answers=None),
)  # fmt: skip
