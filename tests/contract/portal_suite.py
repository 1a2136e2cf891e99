"""The contract of `hub.connect.portal.Portal`, written once; every connector's tests inherit `PortalContract`.

A connector gives a `Site`: its real simulator over HTTP, and how to look into what that holds.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from hub.connect.portal import Answer, Item, Portal, Strategy, make_portal
from hub.control.records import Subscriber
from hub.errors import Rejected, Retryable
from hub_connectors.simulation.app import FaultyApp
from hub_connectors.simulation.faults import FaultOrder
from tests.support.contract_events import dossier_items

CODE = "000.00.12.H11-260302-0001"
# fault of the simulator -> kinds of Retryable that may tell of it
EXPECTED = {
    "hang": {"timeout", "reset"},
    "http_500": {"http_5xx"},
    "http_502": {"http_5xx"},
    "http_429": {"busy"},
    "reset": {"reset", "connect"},
    "dropped_reply": {"reset"},
}

DOWN: dict[Literal["reset", "silent", "http_503"], set[str]] = {
    "reset": {"reset", "connect"},
    "silent": {"timeout"},
    "http_503": {"http_5xx"},
}
"""How a portal is away -> what a probe may call it. A reset may come before or after the connection stands."""

WAIT_S, HANG_S = 30.0, 3.0
"""A portal's time limit, and that where an answer never comes: others must come within it on a loaded machine too."""


class Site(ABC):
    """A running simulator. `app.plan` steers its faults."""

    app: FaultyApp
    calls_per_delivery: int
    """Calls of a first delivery of one event, login included: each of them is met by each fault."""

    @abstractmethod
    def subscriber(self, **settings: Any) -> Subscriber: ...

    @abstractmethod
    def check(self, items: Sequence[Item]) -> None:
        """Asserts that the portal holds exactly what these events (each delivered, in this order) make of it."""

    @abstractmethod
    def doubled(self) -> int:
        """How many lines or events came more than once."""


class PortalContract:
    """Inherit, and give `site(tmp_path)`."""

    answers_told_apart = EXPECTED | {"html": {"html"}, "empty": {"empty"}}
    acknowledged = 200
    """The status with which its simulator takes an event."""

    def site(self, folder: Path) -> AbstractAsyncContextManager[Site]:
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self, site: Site, **settings: Any) -> AsyncIterator[Portal]:
        portal = make_portal(site.subscriber(**{"timeout_s": WAIT_S} | settings))
        await portal.open()
        try:
            yield portal
        finally:
            await portal.close()

    async def test_says_what_it_is(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site:
            portal = make_portal(site.subscriber())
            assert portal.strategy in Strategy
            assert portal.max_fold == 1 or (portal.strategy is Strategy.STATE and portal.max_fold > 1)
            assert set(portal.families) <= {"dossier", "procedure", "service"}
            assert "dossier" in portal.families

    async def test_open_and_close_call_nothing(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site:
            async with self.opened(site) as portal:
                pass
            await portal.close()
            assert site.app.plan.calls == 0

    async def test_delivers_and_answers(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site, self.opened(site) as portal:
            items = dossier_items(CODE, 1)
            answer = await portal.deliver(items)
            assert isinstance(answer, Answer)
            assert answer.status == self.acknowledged
            site.check(items)
            assert site.doubled() == 0

    async def test_in_order_one_by_one(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site, self.opened(site) as portal:
            items = dossier_items(CODE)
            for item in items:
                await portal.deliver([item])
            site.check(items)
            assert site.doubled() == 0

    async def test_in_order_folded_as_far_as_it_allows(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site, self.opened(site) as portal:
            items = dossier_items(CODE)
            for start in range(0, len(items), portal.max_fold):
                await portal.deliver(items[start : start + portal.max_fold])
            site.check(items)

    async def test_the_same_again_changes_nothing(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site:
            items = dossier_items(CODE, 1)
            async with self.opened(site) as portal:
                await portal.deliver(items)
                await portal.deliver(items)
            async with self.opened(site) as another_worker:
                await another_worker.deliver(items)
            site.check(items)
            assert site.doubled() > 0

    async def test_every_fault_at_every_call_then_right(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site:
            for number, (fault, kinds) in enumerate(self.answers_told_apart.items()):
                for position in range(site.calls_per_delivery):
                    code = f"000.00.12.H11-2603{number + 10}-{position + 1:04}"
                    items = dossier_items(code, 1)
                    site.app.plan.order(FaultOrder(force=("none",) * position + (fault,), hang_s=30, retry_after_s=3))
                    async with self.opened(site, timeout_s=HANG_S if fault == "hang" else WAIT_S) as portal:
                        with pytest.raises(Retryable) as caught:
                            await portal.deliver(items)
                        assert caught.value.kind in kinds, (fault, position, caught.value)
                        assert caught.value.retry_after == (3 if fault == "http_429" else None)
                        await portal.deliver(items)
                    site.check(items)

    async def test_an_unclear_outcome_is_made_right_by_another_worker(self, tmp_path: Path) -> None:
        """The last call was carried out and its reply lost: the portal has all, the hub does not know, and repeats."""
        async with self.site(tmp_path) as site:
            items = dossier_items(CODE, 1)
            drop_last = ("none",) * (site.calls_per_delivery - 1) + ("dropped_reply",)
            site.app.plan.order(FaultOrder(force=drop_last))
            async with self.opened(site) as portal:
                with pytest.raises(Retryable):
                    await portal.deliver(items)
            site.check(items)
            assert site.doubled() == 0
            async with self.opened(site) as another_worker:
                await another_worker.deliver(items)
            site.check(items)
            assert site.doubled() == 1

    async def test_probe_tells_up_from_down(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site, self.opened(site, timeout_s=HANG_S) as portal:
            await portal.probe()
            for mode, kinds in DOWN.items():
                site.app.plan.down = mode
                with pytest.raises(Retryable) as caught:
                    await portal.probe()
                assert caught.value.kind in kinds, mode
                site.app.plan.down = None
                await portal.probe()
            site.check([])

    async def test_nobody_listens(self, tmp_path: Path) -> None:
        async with self.site(tmp_path) as site:
            subscriber = site.subscriber(timeout_s=WAIT_S)
        portal = make_portal(subscriber)
        await portal.open()
        try:
            for attempt in (portal.deliver(dossier_items(CODE, 1)), portal.probe()):
                with pytest.raises(Retryable) as caught:
                    await attempt
                assert caught.value.kind == "connect"
        finally:
            await portal.close()

    async def test_workers_side_by_side_under_random_faults(self, tmp_path: Path) -> None:
        """Four workers, a tenth of all calls go wrong: only verdicts escape, and in the end each dossier is right."""
        async with self.site(tmp_path) as site:
            kinds = tuple(self.answers_told_apart)
            site.app.plan.order(FaultOrder(rate=0.1, seed=7, kinds=kinds, hang_s=30, retry_after_s=0))
            codes = [f"000.00.12.H11-260302-{n:04}" for n in range(1, 13)]

            async def worker(mine: list[str]) -> int:
                retries = 0
                async with self.opened(site, timeout_s=HANG_S) as portal:
                    for code in mine:
                        for item in dossier_items(code, 4):
                            retries += await deliver_at_last(portal, [item])
                return retries

            retried = sum(await asyncio.gather(*(worker(codes[n::4]) for n in range(4))))
            assert retried > 0
            site.app.plan.order(FaultOrder(rate=0))
            for code in codes:
                site.check(dossier_items(code, 4))


async def deliver_at_last(portal: Portal, items: Sequence[Item], tries: int = 50) -> int:
    """Repeats as the delivery role does, without its waits; gives the number of retries."""
    for retries in range(tries):
        try:
            await portal.deliver(items)
        except Retryable:
            continue
        except Rejected as error:
            raise AssertionError(f"a fault of the network became a refusal: {error}") from error
        return retries
    raise AssertionError(f"not delivered in {tries} tries")
