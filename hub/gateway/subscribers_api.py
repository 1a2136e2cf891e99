"""`/v1/subscribers`: the same as `hub subscribers`, over HTTP, for operators (`gateway.admin_token`)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from hub.admin import subscribers
from hub.admin.waiting_dossiers import waiting as waiting_of
from hub.gateway.organisations_api import By, Hub
from hub.untyped import JsonObject, SettingsTable
from hub.web.problem import Problem


class SubscriberFilter(BaseModel):
    """Which events are due to it; empty lists admit all."""

    model_config = ConfigDict(extra="forbid")

    agencies: list[str] = Field([], description="agency codes, in either form; a prefix admits its parts")
    procedures: list[str] = Field([], description="procedure codes")
    types: list[str] = Field([], description="event types or step words")


class SubscriberChange(BaseModel):
    """What may be changed later; fields left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = None
    filter: SubscriberFilter | None = None
    settings: SettingsTable | None = Field(None, description="the connector's settings, whole")

    def given(self) -> SettingsTable:
        return {name: value for name, value in self.model_dump().items() if value is not None}


class NewSubscriber(SubscriberChange):
    name: str
    kind: str = Field(description="connector, as national-portal, webhook, kafka-topic")
    secrets: dict[str, str] = Field({}, description="literal, env:NAME or file:PATH; never shown again")
    backfill: Literal["state", "log", "none"] = "state"
    paused: bool = False


class SecretRotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    secret: str = subscribers.SIGNING
    value: str | None = Field(None, description="left out: a signing secret is made and is in the answer")
    overlap_hours: float | None = Field(None, ge=0, le=24 * 90, description="how long the old one signs beside it")


class _Named(APIRoute):
    """Unknown and taken names as 404 and 409."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        plain = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await plain(request)
            except subscribers.UnknownSubscriber as error:
                raise Problem("not_found", str(error)) from None
            except subscribers.NameTaken as error:
                raise Problem("conflict", str(error)) from None

        return handler


router = APIRouter(prefix="/v1/subscribers", tags=["subscribers"], route_class=_Named)


@router.get("", summary="All subscribers; secrets are masked")
async def every(hub: Hub, by: By) -> list[JsonObject]:
    return await subscribers.every(hub)


@router.post("", status_code=201, summary="Add one; its delivery is started by the supervisor")
async def add(new: NewSubscriber, hub: Hub, by: By) -> JsonObject:
    made = await subscribers.add(hub, new.given(), by)
    return subscribers.public(made, None)


@router.get("/{name}", summary="One subscriber")
async def show(name: str, hub: Hub, by: By) -> JsonObject:
    return await subscribers.show(hub, name)


@router.patch("/{name}", summary="Change title, filter or settings")
async def change(name: str, changes: SubscriberChange, hub: Hub, by: By) -> JsonObject:
    await subscribers.change(hub, name, changes.given(), by)
    return await subscribers.show(hub, name)


@router.post("/{name}/pause", summary="Attempt nothing; events queue up")
async def pause(name: str, hub: Hub, by: By) -> JsonObject:
    await subscribers.pause(hub, name, True, by)
    return await subscribers.show(hub, name)


@router.post("/{name}/resume", summary="Deliver again, in order")
async def resume(name: str, hub: Hub, by: By) -> JsonObject:
    await subscribers.pause(hub, name, False, by)
    return await subscribers.show(hub, name)


@router.post("/{name}/rotate-secret", summary="A new secret; the old one signs beside it for the overlap")
async def rotate(name: str, rotation: SecretRotation, hub: Hub, by: By) -> JsonObject:
    overlap = None if rotation.overlap_hours is None else timedelta(hours=rotation.overlap_hours)
    value, _ = await subscribers.rotate_secret(hub, name, by, rotation.secret, rotation.value, overlap)
    made = {} if rotation.value is not None else {"value": value}
    return await subscribers.show(hub, name) | {"secret": rotation.secret} | made


@router.post("/{name}/test", summary="A probe from the gateway; no event is sent")
async def probe(name: str, hub: Hub, by: By) -> JsonObject:
    return asdict(await subscribers.probe(hub, name, by))


@router.get("/{name}/waiting", summary="Its parked and held dossiers")
async def waiting(name: str, hub: Hub, by: By) -> list[JsonObject]:
    return await waiting_of(hub, name)


@router.delete("/{name}", status_code=204, summary="Remove it: nothing is due to it any more")
async def remove(name: str, hub: Hub, by: By) -> None:
    await subscribers.remove(hub, name, by)
