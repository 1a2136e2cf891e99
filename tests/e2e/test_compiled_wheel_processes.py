"""The demo and the tests of whole processes, unchanged, where every process of the hub is the compiled wheel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.wheel import Elsewhere, elsewhere

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.checkout, pytest.mark.timeout(1800)]

KILLED_AT_ITS_WORK = (
    "test_gateway_killed.py::test_kill_9_under_load",
    "test_intake.py::test_kill_9_in_mid_run_loses_nothing_and_keeps_the_order",
    "test_source_role.py::test_killed_in_the_middle_of_a_file_it_loses_nothing",
    "test_core.py::test_kill_9_in_the_middle_loses_nothing_and_keeps_number_and_order[memory]",
    "test_delivery_killed.py::test_event_log_portal_gets_every_event_in_order",
    "test_projector.py::test_killed_projector_and_rebuild_give_the_same_tables",
    "test_reconcile.py::test_receipts_cut_off_in_mid_run_are_missing_healed_and_closed",
    "test_registry_killed.py::test_what_was_answered_survives_a_kill",
)
"""One test a role, of tests/broker. In tests/chaos each is killed while the whole hub works."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return elsewhere(tmp_path_factory)


def test_the_demo(installed: Elsewhere, tmp_path: Path) -> None:
    """`hub demo --once`: its checker, which counts in the portals' own databases, finds nothing wrong."""
    installed.survives(tmp_path / "t", "tests/e2e/test_demo.py::test_a_short_demo")


def test_roles_and_the_whole_as_processes(installed: Elsewhere, tmp_path: Path) -> None:
    installed.survives(
        tmp_path / "t", "tests/e2e/test_up.py", "tests/e2e/test_role_process.py", "tests/e2e/test_secured.py"
    )


def test_each_role_killed_at_its_own_work(installed: Elsewhere, tmp_path: Path) -> None:
    installed.survives(tmp_path / "t", *(f"tests/broker/{test}" for test in KILLED_AT_ITS_WORK))
