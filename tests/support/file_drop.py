"""A drop with its four places in a temporary folder, and the source on it as the role opens it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from hub.config import Settings
from hub.connect.source import Batch
from hub.supervisor.environment import variables
from hub_connectors.filedrop.settings import places, read
from hub_connectors.filedrop.watch import FileDrop

NAME = "phan-thiet"
MAPPING = """
source = "urn:vn:gov:H11.12:motcua"
[dates]
forms = ["%d/%m/%Y %H:%M:%S"]
[columns]
"Mã" = "dossier_code"
"Bước" = "step"
"Lúc" = "occurred_at"
"""
HEAD = "Mã,Bước,Lúc\n"
BOUND_S = 60.0


def row(number: int, day: str = "11/10/2011") -> str:
    return f"000.00.12.H11-111011-{number:04d},RECEIVED,{day} 08:00:00\n"


class Site:
    """given: settings of `sources.filedrop`. settings: of a hub that there is."""

    def __init__(self, root: Path | None = None, mapping: Any = MAPPING, settings: Any = None, **given: Any) -> None:
        if settings is None:
            assert root is not None
            settings = Settings(data_dir=root / "var", sources={"filedrop": given})
        self.settings = settings
        self.places = places(self.settings)
        self.folder = self.add(NAME, mapping)
        self.state = self.places.state / NAME
        self.done, self.failed = (self.places.results / NAME / end for end in ("done", "failed"))

    def add(self, name: str, mapping: str = MAPPING) -> Path:
        """One more agency; its folder in the drop."""
        self.map(mapping, name)
        folder = self.places.drop / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def map(self, mapping: str, name: str = NAME) -> None:
        self.places.mappings.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.places.mappings / f"{name}.toml").write_text(mapping, "utf-8")

    def source(self, rows: int = 2, settle_s: float = 0.02) -> FileDrop:
        return FileDrop(self.places, read(self.settings), poll_s=0.01, settle_s=settle_s, batch_rows=rows)

    @contextlib.asynccontextmanager
    async def watching(self, rows: int = 2, settle_s: float = 0.02) -> AsyncIterator[tuple[FileDrop, Any]]:
        stop, drop = asyncio.Event(), self.source(rows, settle_s)
        batches = drop.batches(stop)
        try:
            yield drop, batches
        finally:
            stop.set()
            await batches.aclose()
            await drop.close()

    async def drain(self, done: Callable[[], bool], rows: int = 2, bound_s: float = BOUND_S) -> list[Batch]:
        """Reads and confirms until `done`, which must come within `bound_s`."""
        stop, drop, out = asyncio.Event(), self.source(rows), []

        async def work() -> None:
            async for batch in drop.batches(stop):
                out.append(batch)
                await drop.confirmed(batch)

        working = asyncio.ensure_future(work())
        try:
            async with asyncio.timeout(bound_s):
                while not done():
                    if working.done():
                        await working
                        raise AssertionError("the source ended")
                    await asyncio.sleep(0.01)
        finally:
            stop.set()
            try:
                async with asyncio.timeout(BOUND_S):
                    await working
            finally:
                await drop.close()
        return out

    def idle(self) -> bool:
        """Nothing waits, nothing is begun."""
        waits = [path for path in self.folder.iterdir() if not path.name.startswith(".")]
        return not any(path.suffix in (".csv", ".xlsx") for path in waits) and not (self.state / "cursor.json").exists()


async def following(batches: AsyncIterator[Batch]) -> Batch:
    return await asyncio.wait_for(anext(batches), BOUND_S)


def subjects(batches: list[Batch]) -> list[str]:
    """The last four digits of each dossier, in order."""
    return [event.envelope.subject[-4:] for batch in batches for event in batch.events]


@contextlib.asynccontextmanager
async def role(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "run", "source:filedrop", env=variables(settings)
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 60)
