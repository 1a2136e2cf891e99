"""Schema id -> schema, for ids that are not the project's own: quick when known, bounded when not.

`Codec.decode` is synchronous and runs in the hot path. All schemas are loaded up front; an unknown id costs one look
that may hold the stream for at most LOOK_S seconds, and a second record with that id costs nothing for NEGATIVE_S.
An id that surely does not exist is a bad record. An id that may exist but cannot be looked up now is a RegistryError:
the stage stops, the supervisor restarts it, and no good event is thrown away
(docs/decisions/0003-unknown-schema-ids.md).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx

from hub.config import Settings
from hub.errors import DecodeError, RegistryError
from hub.registry.http_client import answer, http_args
from hub.registry.schema_log import Reference, SchemaCopy, Version, read

Json = Any
LOOK_S = 3.0
NEGATIVE_S = 60.0
MERGE_S = 0.25
"""Embedded registry: one read of the topic's end judges every id for so long, so that a flood of made-up ids costs
four reads a second."""
AWAY_S = 5.0
"""A registry by URL that did not answer is not asked again for so long."""


class Lookup:
    """Callable: schema id -> self-contained schema JSON (references written in).

    DecodeError (`schema_id`): no such id, or it is no Avro schema. RegistryError: it may exist, nobody can tell now.
    """

    def __init__(self, settings: Settings, copy: SchemaCopy, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._copy = copy
        self._clock = clock
        self._absent_until: dict[int, float] = {}
        self._refreshed = -MERGE_S
        self._away_until = 0.0

    def __call__(self, schema_id: int) -> Json:
        found = self._copy.by_id.get(schema_id)
        if found is None:
            if self._clock() < self._absent_until.get(schema_id, 0.0):
                raise _absent(schema_id)
            found = self._look(schema_id)
        return self_contained(found, self._resolve)

    def _look(self, schema_id: int) -> Version:
        found = self._ask(schema_id) if self._settings.registry.url else self._refresh(schema_id)
        if found is None:
            now = self._clock()
            self._absent_until = {i: until for i, until in self._absent_until.items() if until > now}
            self._absent_until[schema_id] = now + NEGATIVE_S
            raise _absent(schema_id)
        return found

    def _refresh(self, schema_id: int) -> Version | None:
        """Read what was added to the topic. It is the embedded registry's memory, so this answer is final."""
        if self._clock() - self._refreshed >= MERGE_S:
            # aiokafka needs a loop of its own: the caller's is running, and waits for us.
            with ThreadPoolExecutor(1) as pool:
                if not pool.submit(asyncio.run, read_within(self._settings, self._copy)).result():
                    raise RegistryError("there is no _schemas topic; start the registry role once")
            self._refreshed = self._clock()
        return self._copy.by_id.get(schema_id)

    def _ask(self, schema_id: int) -> Version | None:
        """A registry by URL: 404 is final, no answer is not."""
        if self._clock() < self._away_until:
            raise RegistryError(f"schema id {schema_id} is unknown here and the registry is away")
        try:
            with httpx.Client(**(http_args(self._settings) | {"timeout": LOOK_S})) as client:
                value = answer(client.get(f"/schemas/ids/{schema_id}"))
        except httpx.HTTPError as error:
            self._away_until = self._clock() + AWAY_S
            raise RegistryError(
                f"schema id {schema_id} is unknown here and the registry is away: {type(error).__name__}"
            ) from error
        except RegistryError as error:
            if error.code in (40403, 404):
                return None
            if error.code == 0:
                self._away_until = self._clock() + AWAY_S
            raise
        found = Version.of({"subject": "", "version": 0, "id": schema_id} | value)
        self._copy.by_id[schema_id] = found
        return found

    def _resolve(self, reference: Reference) -> Version:
        found = self._copy.versions.get((reference.subject, reference.version))
        if found is None and self._settings.registry.url:
            found = self._ask_version(reference)
        if found is None:
            raise DecodeError("schema_id", f"its reference {reference.subject} version {reference.version} is missing")
        return found

    def _ask_version(self, reference: Reference) -> Version:
        path = f"/subjects/{quote(reference.subject, safe='')}/versions/{reference.version}?deleted=true"
        try:
            with httpx.Client(**(http_args(self._settings) | {"timeout": LOOK_S})) as client:
                value = answer(client.get(path))
        except httpx.HTTPError as error:
            raise RegistryError(f"a referenced schema is unknown here and the registry is away: {error}") from error
        found = Version.of(value)
        self._copy.put(found)
        return found


async def read_within(settings: Settings, copy: SchemaCopy) -> bool:
    """`schema_log.read`, all of it within LOOK_S: connecting too."""
    try:
        async with asyncio.timeout(LOOK_S):
            return await read(settings, copy, LOOK_S)
    except TimeoutError:
        raise RegistryError(f"_schemas could not be read within {LOOK_S:.0f} s") from None


def _absent(schema_id: int) -> DecodeError:
    return DecodeError("schema_id", f"schema id {schema_id} is not in the registry; register the schema first")


def self_contained(version: Version, resolve: Callable[[Reference], Version]) -> Json:
    """The schema with every referenced type written out at its first use; DecodeError if it is no Avro."""
    if version.schema_type != "AVRO":
        raise DecodeError("schema_id", f"schema id {version.id} is {version.schema_type}; the hub reads Avro")
    named: dict[str, Json] = {}
    try:
        _collect(version, resolve, named, set())
        return inline(json.loads(version.schema), named)
    except ValueError:
        raise DecodeError("schema_id", f"schema id {version.id} is no JSON") from None


def _collect(
    version: Version, resolve: Callable[[Reference], Version], named: dict[str, Json], seen: set[tuple[str, int]]
) -> None:
    for reference in version.references:
        if (reference.subject, reference.version) not in seen:
            seen.add((reference.subject, reference.version))
            target = resolve(reference)
            named[reference.name] = json.loads(target.schema)
            _collect(target, resolve, named, seen)


_TYPE_KEYS = ("type", "items", "values")


def inline(schema: Json, named: dict[str, Json], namespace: str = "") -> Json:
    """Each name of `named` replaced by its definition at its first use; `named` is emptied as it goes."""
    if isinstance(schema, str):
        full = schema if "." in schema or not namespace else f"{namespace}.{schema}"
        name = full if full in named else schema
        return inline(named.pop(name), named) if name in named else schema
    if isinstance(schema, list):
        return [inline(branch, named, namespace) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("name", ""))
    inner = str(schema.get("namespace") or (name.rpartition(".")[0] if "." in name else namespace))
    out = dict(schema)
    if "fields" in schema:
        out["fields"] = [f | {"type": inline(f["type"], named, inner)} for f in schema["fields"]]
    for key in _TYPE_KEYS:
        if key in schema and not (key == "type" and schema["type"] in ("record", "error", "enum", "fixed")):
            out[key] = inline(schema[key], named, inner)
    return out
