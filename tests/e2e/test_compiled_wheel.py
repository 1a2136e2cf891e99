"""The compiled wheel, installed: what it holds, and that it passes the tests of the plain modules."""

from __future__ import annotations

import pytest

from tests.support.wheel import ON_A_WHEEL, ROOT, Elsewhere, elsewhere, setup_module

pytestmark = [pytest.mark.slow, pytest.mark.checkout, pytest.mark.timeout(1800)]

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
    said = installed.passes("-m", f"not slow and {ON_A_WHEEL}", COUNTS, *folders)
    assert int(said.split(" passed")[0].split()[-1]) > 500
