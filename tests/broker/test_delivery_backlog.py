"""A state portal's role that starts with more to do than it reads ahead."""

from __future__ import annotations

import pytest

from hub.connect.portal import Strategy
from hub.delivery import main_loop, takeover
from hub.delivery.partition import offsets
from tests.support.delivery import until
from tests.support.delivery_fixture import bench  # noqa: F401

pytestmark = pytest.mark.broker

WINDOW, READ = 40, 9


@pytest.mark.parametrize("strategy", list(Strategy))
async def test_a_backlog_beyond_the_window_is_delivered_after_a_restart(
    bench,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    strategy: Strategy,
) -> None:
    for module in (offsets, takeover):
        monkeypatch.setattr(module, "WINDOW", WINDOW)
    for module in (main_loop, takeover):
        monkeypatch.setattr(module, "READ_MAX", READ)
    bench.site.strategy = strategy
    await bench.subscribe()
    await bench.events((0, 1))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [1], "the first is delivered and committed")
    which = [(number, 1) for number in range(1, 300)]  # 100 a partition
    await bench.events(*which)
    async with bench.running():
        await until(lambda: len(bench.site.calls) == 300, "the backlog is delivered")
    assert all(bench.site.delivered(bench.code(number)) == [1] for number in range(300))
