"""`/v1/organisations`: the same as `hub organisations`, over HTTP, for operators (`gateway.admin_token`)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.admin import organisations
from hub.config import Settings
from hub.control.audit import Actor
from hub.events.families import NAMES
from hub.gateway.operators import operator
from hub.untyped import JsonObject, SettingsTable
from hub.web.problem import Problem

log = logging.getLogger(__name__)


class OrganisationRights(BaseModel):
    """What may be said of an organisation; fields left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

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
        if self.role is not None:
            log.warning(organisations.NO_ROLE)
        return {name: value for name, value in self.model_dump(exclude={"role"}).items() if value is not None}


class NewOrganisation(OrganisationRights):
    name: str


class KeyRotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    overlap_hours: float = Field(24.0, ge=0, le=24 * 90, description="how long the present keys work on")


def settings_of(request: Request) -> Settings:
    """The settings that the application was built with."""
    found: Settings = request.app.state.settings
    return found


Hub = Annotated[Settings, Depends(settings_of)]


def allowed(request: Request, settings: Hub) -> Actor:
    """Who acts, if it is an operator. Problem (401) for anyone else."""
    found = operator(request.headers, settings.gateway.admin_token, request.client.host if request.client else "")
    if found is None:
        raise Problem("unauthenticated", "send the operators' token", {"WWW-Authenticate": "Bearer"})
    return found


By = Annotated[Actor, Depends(allowed)]
router = APIRouter(prefix="/v1/organisations", tags=["organisations"])


@router.get("", summary="All organisations and their rights")
async def every(hub: Hub, by: By) -> list[JsonObject]:
    return [organisations.public(organisation) for organisation in await organisations.every(hub)]


@router.post("", status_code=201, summary="Add one; the API key is in the answer and is stored nowhere")
async def add(new: NewOrganisation, hub: Hub, by: By) -> JsonObject:
    wanted = organisations.checked(new.given())
    key = await organisations.add(hub, wanted, by)
    return organisations.public(await organisations.get(hub, wanted.name)) | {"key": key}


@router.get("/{name}", summary="One organisation")
async def show(name: str, hub: Hub, by: By) -> JsonObject:
    return organisations.public(await organisations.get(hub, name))


@router.patch("/{name}", summary="Change its rights")
async def change(name: str, rights: OrganisationRights, hub: Hub, by: By) -> JsonObject:
    return organisations.public(await organisations.change(hub, name, rights.given(), by))


@router.post("/{name}/rotate-key", summary="A new key; the present ones work on for the overlap")
async def rotate(name: str, rotation: KeyRotation, hub: Hub, by: By) -> JsonObject:
    overlap = timedelta(hours=rotation.overlap_hours)
    key, changed = await organisations.rotate_key(hub, name, by, overlap)
    return organisations.public(changed) | {"key": key}


@router.delete("/{name}", status_code=204, summary="Remove it: its keys stop working")
async def remove(name: str, hub: Hub, by: By) -> None:
    await organisations.remove(hub, name, by)
