"""Where a role gets its codec from: the registry, or, while that is away, the `_schemas` topic or a cache file.

With the embedded registry the topic *is* the registry's memory, so a role reads it and needs the registry itself only
to register a schema for the first time. With a registry by URL its answers count, and the cache file is the fall-back:
a `_schemas` topic in our cluster need not be that registry's. See docs/decisions/0003-unknown-schema-ids.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import httpx

from hub.avro.codec import Codec
from hub.avro.generic import registered_text, schema_json
from hub.config import Settings
from hub.errors import RegistryError
from hub.events.families import CLOCK_RECORD, DEADLINE, FAMILIES
from hub.registry.http_client import answer, http_args
from hub.registry.schema_log import SchemaCopy, Version, read
from hub.registry.schema_lookup import Lookup

log = logging.getLogger(__name__)

OWN_RECORDS = (
    *(name for one in FAMILIES for name in (one.published_record, one.state_record, one.event.record)),
    "vn.hub.Delivery",
    CLOCK_RECORD,
    DEADLINE.record,
)
"""Full names of the project's records; each is its own subject in the registry."""

COMPATIBILITY = "BACKWARD_TRANSITIVE"
WAIT_S = 30.0
"""How long a start waits for a registry that starts beside it."""


async def _call(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    try:
        return answer(await client.request(method, path, json=body))
    except httpx.HTTPError as error:
        raise RegistryError(f"registry at {client.base_url} is away: {type(error).__name__}") from error


async def register_own(settings: Settings, wait: float = WAIT_S) -> dict[str, int]:
    """Register the project's record schemas (idempotent) and set their subjects to BACKWARD_TRANSITIVE.

    Returns record name -> schema id. Waits up to `wait` seconds for the registry. RegistryError: away, or it refuses
    a schema (code 409: not compatible with what is registered).
    """
    deadline = time.monotonic() + wait
    async with httpx.AsyncClient(**http_args(settings)) as client:
        while True:
            try:
                await _call(client, "GET", "/subjects")
                return {name: await _register(client, name) for name in OWN_RECORDS}
            except RegistryError as error:
                if error.code != 0 or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.2)


async def _register(client: httpx.AsyncClient, name: str) -> int:
    try:
        level = (await _call(client, "GET", f"/config/{name}")).get("compatibilityLevel")
    except RegistryError as error:
        if error.code not in (40401, 40408, 404):
            raise
        level = None
    if level != COMPATIBILITY:
        await _call(client, "PUT", f"/config/{name}", {"compatibility": COMPATIBILITY})
    return int((await _call(client, "POST", f"/subjects/{name}/versions", {"schema": registered_text(name)}))["id"])


async def open_codec(settings: Settings) -> Codec:
    """The codec of a role: ids of the project's schemas, and a lookup for all others (hub.registry.schema_lookup).

    RegistryError if the registry is away and neither topic nor cache knows every schema of this version of the hub.
    """
    copy = await _copy(settings)
    ids = copy.ids_of({name: schema_json(name) for name in OWN_RECORDS})
    if len(ids) < len(OWN_RECORDS) or settings.registry.url:
        ids = await _registered(settings, ids)
        for name, schema_id in ids.items():
            if schema_id not in copy.by_id:
                copy.by_id[schema_id] = Version(name, 0, schema_id, registered_text(name))
    _save(settings, copy)
    return Codec(ids, Lookup(settings, copy))


async def _registered(settings: Settings, known: dict[str, int]) -> dict[str, int]:
    """From the registry; when it is away, what topic or cache told, if that is all."""
    complete = len(known) == len(OWN_RECORDS)
    try:
        return await register_own(settings, wait=0 if complete else WAIT_S)
    except RegistryError as error:
        if error.code != 0 or not complete:
            raise
        log.warning("%s; using the schema ids from the local copy", error)
        return known


async def _copy(settings: Settings) -> SchemaCopy:
    """All schemas, from the topic; from the cache file if there is no topic or no broker."""
    copy = SchemaCopy()
    if settings.registry.url is None:
        try:
            if await read(settings, copy):
                return copy
        except RegistryError as error:
            log.warning("%s; using the cache", error)
    return _cached(settings)


def cache_file(settings: Settings) -> Path:
    """JSON: `registry` (whose ids these are) and `schemas`, a list of SCHEMA record values."""
    return settings.data_dir / "schemas.json"


def _cached(settings: Settings) -> SchemaCopy:
    copy = SchemaCopy()
    try:
        content = json.loads(cache_file(settings).read_text("utf-8"))
        if content["registry"] == _identity(settings):
            for value in content["schemas"]:
                copy.put(Version.of(value))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("the schema cache %s is unusable (%s) and is ignored", cache_file(settings), type(error).__name__)
        copy = SchemaCopy()
    return copy


def _save(settings: Settings, copy: SchemaCopy) -> None:
    """Whole or not at all; a cache that cannot be written is a warning, no reason to stop."""
    content = {"registry": _identity(settings), "schemas": [v.value() for v in copy.by_id.values()]}
    path = cache_file(settings)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        part.replace(path)
    except OSError as error:
        log.warning("cannot write the schema cache %s: %s", path, error.strerror)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _identity(settings: Settings) -> str:
    """Ids mean something only together with the registry that gave them."""
    return settings.registry.url or f"embedded on {settings.bootstrap}"
