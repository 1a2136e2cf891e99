"""The contract of `hub.connect.source.Source`, written once; every connector's tests inherit `SourceContract`."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.avro.bodies import BODIES
from hub.connect.source import Batch, Source
from hub.events import families

WAIT_S = 60.0


class SourceSite(ABC):
    """Where the source finds things."""

    events: int
    """How many events `fill` makes; more than one batch."""

    @abstractmethod
    def fill(self) -> None:
        """Puts something there."""

    @abstractmethod
    def source(self) -> Source:
        """A new source on it, as after a restart."""


class SourceContract:
    """Inherit, and give `site(tmp_path)`."""

    def site(self, folder: Path) -> SourceSite:
        raise NotImplementedError

    @pytest.fixture
    def filled(self, tmp_path: Path) -> SourceSite:
        site = self.site(tmp_path)
        site.fill()
        return site

    async def test_everything_is_found_once_and_fits_its_schema(self, filled: SourceSite) -> None:
        batches = [batch async for batch in confirmed(filled, filled.events)]
        found = [event for batch in batches for event in batch.events]
        assert len({(e.envelope.source, e.envelope.id) for e in found}) == len(found) == filled.events
        for event in found:
            assert event.envelope.subject
            body = BODIES[families.BY_PUBLISHED[event.envelope.type].published_record]
            assert body.read(body.write(event.data), 0) == event.data

    async def test_what_was_not_confirmed_comes_again_with_the_same_ids(self, filled: SourceSite) -> None:
        async with opened(filled) as (source, batches):
            first = await following(batches)
            await source.confirmed(first)
            lost = await following(batches)
        again = [batch async for batch in confirmed(filled, filled.events - len(first.events))]
        assert ids(again[0]) == ids(lost)
        assert not set(ids(first)) & {i for batch in again for i in ids(batch)}

    async def test_it_ends_soon_after_it_is_asked_to(self, tmp_path: Path) -> None:
        stop = asyncio.Event()
        source = self.site(tmp_path).source()
        waiting = asyncio.ensure_future(anext(aiter(source.batches(stop)), None))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        stop.set()
        assert await asyncio.wait_for(waiting, WAIT_S) is None
        await source.close()


def ids(batch: Batch) -> list[str]:
    return [event.envelope.id for event in batch.events]


async def following(batches: AsyncIterator[Batch]) -> Batch:
    return await asyncio.wait_for(anext(batches), WAIT_S)


@contextlib.asynccontextmanager
async def opened(site: SourceSite) -> AsyncIterator[tuple[Source, AsyncIterator[Batch]]]:
    """A source at work; what is under way at the end is dropped, as by a kill."""
    stop = asyncio.Event()
    source = site.source()
    batches = source.batches(stop)
    try:
        yield source, batches
    finally:
        stop.set()
        await batches.aclose()  # type: ignore[attr-defined]
        await source.close()


async def confirmed(site: SourceSite, events: int) -> AsyncIterator[Batch]:
    """Batches, each confirmed, until so many events have come."""
    async with opened(site) as (source, batches):
        while events > 0:
            batch = await following(batches)
            await source.confirmed(batch)
            events -= len(batch.events)
            yield batch
