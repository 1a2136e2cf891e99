"""The simulated portal's catalogue as a file, and the source that reads it, for the tests of both."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.config import Settings
from hub.connect.source import Batch, Incoming
from hub.sources.role import records
from hub.untyped import JsonObject
from hub_connectors.national_portal.catalogue import watch
from hub_connectors.national_portal.catalogue.pull import connected
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.catalogue.watch import NationalCatalogue
from hub_connectors.national_portal.tests.catalogue_files import load
from hub_connectors.national_portal.tests.site import NationalSite, national_site
from tests.support.codecs import fixed_codec
from tests.support.incoming import catalogue_change_of

AT = 1_795_478_400.0  # 2026-11-24T00:00:00Z
FAST = {"poll_s": 0.01, "retry_s": 0.01, "detail_every_s": 0.0}


class World:
    """The portal's catalogue file, and a source that reads it; `clock` is a minute later at each round."""

    def __init__(self, folder: Path, site: NationalSite, profile: str = "two-portals", **own: Any) -> None:
        self.folder, self.site = folder, site
        self.catalogue: JsonObject = load("national")
        self.clock = AT
        self.settings = Settings(data_dir=folder / "hub", profile=profile)
        self.own = CatalogueSettings(**(FAST | own))
        self.put()

    def put(self) -> None:
        (self.folder / "catalogue.json").write_text(json.dumps(self.catalogue, ensure_ascii=False), "utf-8")

    def source(self) -> NationalCatalogue:
        def now() -> float:
            self.clock += 60
            return self.clock

        return NationalCatalogue(self.settings, self.own, lambda: connected(self.site.subscriber()), now)

    async def round(self, confirm: int = 1_000, between: Callable[[], None] | None = None) -> list[Batch]:
        """Batches until a round is at its end, confirmed; or the first `confirm` of them, then the process is gone.
        between: called once, after the first batch."""
        source, stop = self.source(), asyncio.Event()
        out: list[Batch] = []
        batches = source.batches(stop)
        try:
            async with asyncio.timeout(60):
                async for batch in batches:
                    out.append(batch)
                    records(batch, fixed_codec())
                    if between and len(out) == 1:
                        between()
                    if len(out) > confirm:
                        break
                    await source.confirmed(batch)
                    if batch.cursor["change"].round_at == 0:
                        break
        finally:
            await batches.aclose()
        return out


@asynccontextmanager
async def world(folder: Path, **own: Any) -> AsyncIterator[World]:
    (folder / "catalogue.json").write_text("{}", "utf-8")
    async with national_site(folder, catalogue=str(folder / "catalogue.json")) as site:
        yield World(folder, site, **own)


def told(batches: list[Batch]) -> list[tuple[str, str]]:
    return [(e.envelope.subject, catalogue_change_of(e).change) for b in batches for e in b.events]


def events(batches: list[Batch]) -> dict[str, Incoming]:
    return {e.envelope.subject: e for b in batches for e in b.events}


async def failing(w: World) -> str:
    """The error of the next round; nothing may come of it."""
    source, stop, said = w.source(), asyncio.Event(), asyncio.get_running_loop().create_future()

    class Handler(logging.Handler):
        def emit(self, record: Any) -> None:
            if not said.done():
                said.set_result(record.getMessage())

    handler, log = Handler(logging.ERROR), logging.getLogger(watch.__name__)
    log.addHandler(handler)
    batches = source.batches(stop)
    try:
        next_batch = asyncio.ensure_future(anext(batches))
        done, _ = await asyncio.wait([next_batch, said], timeout=60, return_when=asyncio.FIRST_COMPLETED)
        assert next_batch not in done
        next_batch.cancel()
        await asyncio.gather(next_batch, return_exceptions=True)
        return str(said.result())
    finally:
        log.removeHandler(handler)
        await batches.aclose()
