"""A test ends its own tasks: what the end of the loop cancels closes nothing in order."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support import leaks


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    """The test's own loop has nothing to do when it ends."""
    yield
    left = leaks.running_tasks()
    assert not left, f"still running at this test's end: {left}"
