"""The role itself under damaged files, bombs among them: its process and its memory stay, each file's verdict is right.

The short form is some hundred; 10,000 are for `make test-all`. Which rows of which file: test_damaged.py of the
connector, on the same files.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from hub.config import Settings
from hub.kafka.topic_admin import ensure_topics
from hub.registry.client import register_own
from tests.support import damaged_files
from tests.support.damaged_drop import move_in, sorted_out
from tests.support.file_drop import MAPPING, Site, role
from tests.support.gateway import ingress_of
from tests.support.registry_fixture import running

pytestmark = pytest.mark.broker
SOURCE = "urn:vn:gov:H11.12:motcua"
WARM = 100
"""Files after which the process has loaded what it needs."""


LONG = int(os.environ.get("DAMAGED_FILES", "1000"))
"""Ten thousand take up to an hour: `DAMAGED_FILES=10000 pytest tests/broker/test_filedrop_damaged.py -m slow`."""


def resident(pid: int) -> int:
    """KiB."""
    return int(Path("/proc", str(pid), "status").read_text().partition("VmRSS:")[2].split()[0])


def left(inboxes: tuple[Path, Path]) -> int:
    return sum(1 for folder in inboxes for _ in folder.iterdir())


@pytest.mark.parametrize(
    ("count", "bound_s"),
    [
        pytest.param(200, 600, marks=pytest.mark.timeout(700)),
        pytest.param(LONG, 7_000, marks=[pytest.mark.slow, pytest.mark.timeout(7_500)]),
    ],
)
async def test_damaged_files_change_nothing_but_their_own_verdict(
    hub_settings: Settings, tmp_path: Path, count: int, bound_s: float
) -> None:
    settings = hub_settings.model_copy(update={"sources": {"filedrop": damaged_files.LIMITS}})
    await ensure_topics(settings)
    site = Site(settings=settings, mapping=MAPPING.replace(SOURCE, f"{SOURCE}-{count}"))
    folders, expected = await asyncio.to_thread(sorted_out, tmp_path, count, count)
    async with running(settings):
        await register_own(settings)
        async with role(settings) as process:
            inboxes = move_in(folders, site, f"{SOURCE}-{count}")
            warm = 0
            async with asyncio.timeout(bound_s):
                while (waiting := left(inboxes)) > 0:
                    assert process.returncode is None, "the role ended"
                    if not warm and waiting <= count - WARM:
                        warm = resident(process.pid)
                    await asyncio.sleep(0.2)
            grown = resident(process.pid) - warm
            assert process.returncode is None
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 60) == 0
    came = {
        path.name: path.parent.name == "done" for path in site.places.results.glob("*/*/*") if path.name in expected
    }
    assert came == {name: one["whole"] for name, one in expected.items()}
    events = await ingress_of(settings, f"{SOURCE}-{count}")
    assert len(events) == sum(len(one["codes"]) for one in expected.values())
    print(f"{count} files, {len(events)} events, {grown} KiB more than after {WARM}")
    assert grown < 30_000, "KiB"
