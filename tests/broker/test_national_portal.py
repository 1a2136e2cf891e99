"""The delivery role and the national portal's simulator as the processes they are: more than deliveries."""

from __future__ import annotations

import pytest

from hub.access import subscribers
from tests.broker.delivery_fixture import bench  # noqa: F401
from tests.support.delivery import until
from tests.support.roles import role
from tests.support.simulators import simulator

pytestmark = pytest.mark.broker

PAPER = {"name": "Đơn đề nghị", "result": False}


async def test_a_file_out_of_reach_is_named_in_the_receipt_and_the_dossier_goes_on(bench, tmp_path):  # noqa: F811
    with simulator("national-portal", tmp_path) as site:
        wanted = site.subscriber(
            bench.name, settings={"file_hosts": ["127.0.0.1"]}, filter={"agencies": (bench.agency,)}, backfill="log"
        )
        await subscribers.add(bench.settings, wanted.model_dump(exclude={"created_at"}), "test")
        site.admin("faults", {"force": ["unreachable_link"]})
        papers = [{**PAPER, "id": "TEP-1", "url": f"{site.address}/downloadfile/1"}]
        await bench.events((1, 1), procedure_code="1.004194", attachments=papers)
        with role(f"deliver:{bench.name}", bench.settings):
            await until(lambda: _delivered(bench, 1), "the dossier with a dead link", 60)
            await bench.events((1, 2), procedure_code="1.004194", attachments=papers)
            await until(lambda: _delivered(bench, 2), "its next step", 60)
        first, second = await bench.receipts("DELIVERED")
        assert first["answer"].startswith("files out of reach, 1 of 1 links: TEP-1 connect; ")
        assert "out of reach" not in second["answer"]
        assert site.rows("SELECT count(*) FROM progress_lines") == [(2,)]
    assert await bench.dead_letters() == []


async def _delivered(bench, count) -> bool:  # noqa: F811
    return len(await bench.receipts("DELIVERED")) == count
