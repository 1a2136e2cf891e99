"""The lease: how long an answered heartbeat counts, and what an unanswered one does."""

from __future__ import annotations

import pytest

from hub.stream.errors import LeaseError
from hub.stream.lease import Lease


class Coordinator:
    """Answers as told; each request takes `slow` seconds of the test's own clock."""

    def __init__(self, *answers: bool | None, slow: float = 0.0) -> None:
        self.answers = list(answers)
        self.slow = slow
        self.now = 100.0
        self.asked = 0

    async def heartbeat(self) -> bool | None:
        self.asked += 1
        self.now += self.slow
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def lease(self) -> Lease:
        return Lease(self.heartbeat, session_s=6.0, patience_s=2.0, clock=lambda: self.now)


def live() -> bool:
    return True


async def test_an_answer_counts_for_half_the_session():
    coordinator = Coordinator(True)
    lease = coordinator.lease()
    assert await lease.held(live)
    coordinator.now += 2.9
    assert await lease.held(live)
    assert coordinator.asked == 1
    coordinator.now += 0.2
    assert await lease.held(live)
    assert coordinator.asked == 2


async def test_a_frozen_owner_asks_before_it_writes_and_hears_that_it_is_out():
    coordinator = Coordinator(True, False)
    lease = coordinator.lease()
    assert await lease.held(live)
    coordinator.now += 14
    assert not await lease.held(live)


async def test_the_lease_counts_from_the_question_not_from_the_answer():
    """Frozen while it asks: the answer was given long ago, when it is read."""
    coordinator = Coordinator(True, True, False, slow=4.0)
    assert not await coordinator.lease().held(live)
    assert coordinator.asked == 3


async def test_a_new_assignment_asks_anew():
    coordinator = Coordinator(True)
    lease = coordinator.lease()
    await lease.held(live)
    lease.drop()
    await lease.held(live)
    assert coordinator.asked == 2


async def test_work_taken_away_is_left_without_asking():
    coordinator = Coordinator(True)
    assert not await coordinator.lease().held(lambda: False)
    assert coordinator.asked == 0


async def test_a_silent_coordinator_ends_the_engine():
    coordinator = Coordinator(None, slow=3.0)
    with pytest.raises(LeaseError):
        await coordinator.lease().held(live)
