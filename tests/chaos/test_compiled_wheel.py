"""The whole hub under faults: test_whole_hub.py, unchanged, where every process is the compiled wheel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.wheel import Elsewhere, elsewhere

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.checkout, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return elsewhere(tmp_path_factory)


def test_the_whole_hub(installed: Elsewhere, tmp_path: Path) -> None:
    """kill -9 of every role under load, a broker restarted, a core that freezes, a silent portal: all is delivered."""
    installed.survives(tmp_path / "t", "tests/chaos/test_whole_hub.py", seconds=1500)
