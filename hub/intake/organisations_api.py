"""`/v1/organisations`: the same as `hub organisations`, over HTTP, for operators (`gateway.admin_token`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.access import organisations
from hub.access.control import Organisation
from hub.access.operators import Operator, operator
from hub.config import Settings
from hub.intake.problem import Problem


class Rights(BaseModel):
    """What may be said of an organisation; fields left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = None
    role: str | None = Field(None, description="agency, portal or operator")
    sources: list[str] | None = Field(None, description="CloudEvents source values, exact")
    agencies: list[str] | None = Field(None, description="agency codes, in either form, or *")
    families: list[str] | None = Field(None, description="dossier, procedure, service")
    kafka_topic: bool | None = Field(None, description="true: it produces to its own hub.ingress.<name>")

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in self.model_dump().items() if value is not None}


class New(Rights):
    name: str


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    overlap_hours: float = Field(24.0, ge=0, le=24 * 90, description="how long the present keys work on")


def public(organisation: Organisation) -> dict[str, Any]:
    """Without key hashes: how many keys there are, and until when those that end."""
    out = organisation.model_dump(mode="json", exclude={"key_hashes", "key_until"})
    ends = sorted(end.isoformat() for end in organisation.key_until.values())
    return out | {"keys": len(organisation.key_hashes), "keys_ending": ends}


def router(settings: Settings) -> APIRouter:
    """The routes, over these settings."""

    def allowed(request: Request) -> Operator:
        found = operator(request.headers, settings.gateway.admin_token)
        if found is None:
            raise Problem("unauthenticated", "send the operators' token", {"WWW-Authenticate": "Bearer"})
        return found

    By = Annotated[Operator, Depends(allowed)]
    api = APIRouter(prefix="/v1/organisations", tags=["organisations"])

    @api.get("", summary="All organisations and their rights")
    async def every(by: By) -> list[dict[str, Any]]:
        return [public(o) for o in await organisations.every(settings)]

    @api.post("", status_code=201, summary="Add one; the API key is in the answer and is stored nowhere")
    async def add(new: New, by: By) -> dict[str, Any]:
        wanted = organisations.checked(new.given())
        key = await organisations.add(settings, wanted, by.who, by.why)
        return public(await organisations.get(settings, wanted.name)) | {"key": key}

    @api.get("/{name}", summary="One organisation")
    async def show(name: str, by: By) -> dict[str, Any]:
        return public(await organisations.get(settings, name))

    @api.patch("/{name}", summary="Change its rights")
    async def change(name: str, rights: Rights, by: By) -> dict[str, Any]:
        return public(await organisations.change(settings, name, rights.given(), by.who, by.why))

    @api.post("/{name}/rotate-key", summary="A new key; the present ones work on for the overlap")
    async def rotate(name: str, rotation: Rotation, by: By) -> dict[str, Any]:
        overlap = timedelta(hours=rotation.overlap_hours)
        key, changed = await organisations.rotate_key(settings, name, by.who, by.why, overlap)
        return public(changed) | {"key": key}

    @api.delete("/{name}", status_code=204, summary="Remove it: its keys stop working")
    async def remove(name: str, by: By) -> None:
        await organisations.remove(settings, name, by.who, by.why)

    return api
