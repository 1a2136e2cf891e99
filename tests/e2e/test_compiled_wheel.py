"""The compiled wheel, installed: it passes the tests of the plain modules, and its core survives a kill -9."""

from __future__ import annotations

import os

import pytest

from tests.support.wheel import ROOT, Elsewhere, elsewhere, setup_module

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

WHERE = """
import hub.core.step, hub.ingress.acknowledged, hub.ingress.record, hub.machine.build as b
print(hub.__file__)
print(b.state())
"""
ROOMS = ("avro", "events", "model", "core", "ingress")
# It counts by putting counters into modules, and needs connectors' own tests, which no wheel has.
COUNTS = "--ignore=tests/unit/core/test_work_counts.py"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return elsewhere(tmp_path_factory)


def passes(installed: Elsewhere, *arguments: str) -> str:
    """Runs these tests there; the last line of what pytest says."""
    done = installed.run("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments, seconds=900,
                         env=os.environ | {"PYTEST_ADDOPTS": ""})  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout.splitlines()[-1]


def test_what_is_imported_is_the_wheel_s_and_compiled(installed: Elsewhere) -> None:
    done = installed.run("-c", WHERE)
    assert done.returncode == 0, done.stderr
    file, told = done.stdout.splitlines()
    assert file.startswith(str(installed.python.parents[1]))
    assert told.startswith("compiled: avro (")
    for path in setup_module().COMPILED:
        room, module = path.removeprefix("hub/").removesuffix(".py").split("/", 1)
        assert f"{room} (" in told
        assert "*" in module or module.replace("/", ".") in told, module


def test_every_file_of_the_program_is_in_the_wheel(installed: Elsewhere) -> None:
    """Pages, tables, samples: what an import does not miss."""
    (site,) = (installed.python.parents[1] / "lib").glob("python*/site-packages")
    lacks = [
        str(path.relative_to(above))
        for above, package in ((ROOT, "hub"), (ROOT / "connectors", "hub_connectors"))
        for path in (above / package).rglob("*")
        if path.is_file()
        and path.suffix != ".md"
        and not {"tests", "__pycache__"} & set(path.parts[len(above.parts) :])
        if not (site / path.relative_to(above)).is_file()
    ]
    assert lacks == []


def test_the_compiled_modules_pass_the_tests_of_the_plain_ones(installed: Elsewhere) -> None:
    folders = [f"tests/unit/{room}" for room in ROOMS]
    said = passes(installed, "-m", "not slow and not patches and not checkout", COUNTS, *folders)
    assert int(said.split(" passed")[0].split()[-1]) > 500


@pytest.mark.broker
def test_its_core_survives_kill_9(installed: Elsewhere) -> None:
    said = passes(installed, "tests/broker/test_core.py", "-k", "kill_9 and memory")
    assert " 1 passed" in said or said.startswith("1 passed")
