"""Some hundred damaged files, each with the verdict of an oracle that does not know the hub."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from hub.untyped import JsonObject
from tests.support import damaged_files
from tests.support.damaged_drop import move_in, sorted_out
from tests.support.file_drop import Site

COUNT = 200


@pytest.mark.timeout(600)
async def test_each_damaged_file_has_its_verdict_and_only_itself(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub", **damaged_files.LIMITS)
    folders, expected = sorted_out(tmp_path, COUNT, seed=16)
    assert {one["whole"] for one in expected.values()} == {True, False}
    inboxes = move_in(folders, site)
    before = resident()
    found = await site.drain(lambda: not any(any(folder.iterdir()) for folder in inboxes), rows=500, bound_s=500)
    grown = resident() - before
    came: dict[str, JsonObject] = defaultdict(lambda: {"whole": True, "codes": []})
    for batch in found:
        state = batch.cursor["state"]
        came[state.file_name]["codes"] += [event.envelope.subject for event in batch.events]
        came[state.file_name]["whole"] &= not state.failed
    wrong = {name: (one, came.get(name)) for name, one in expected.items() if one != came.get(name)}
    assert not wrong
    assert len(came) == COUNT
    for name, one in expected.items():
        folder = site.places.results / ("sheets" if name.endswith("xlsx") else site.folder.name)
        assert (folder / ("done" if one["whole"] else "failed") / name).exists(), name
    assert grown < 40_000, f"KiB more after {COUNT} files"


def resident() -> int:
    """KiB that this process holds."""
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])
