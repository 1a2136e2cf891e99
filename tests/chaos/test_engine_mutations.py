"""Each mutation of the engine is noticed: its test goes red (and is green without it, as the other suites show)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.chaos.engine_mutations import MUTATIONS, Mutation
from tests.chaos.mutation_runner import ROOT, is_red, run, swapped

EACH = pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))


@EACH
def test_its_passages_and_its_test_are_there(mutation: Mutation) -> None:
    """Quick, so that a move of code or tests is noticed at once."""
    spec = importlib.util.find_spec(mutation.module)
    assert spec is not None
    assert spec.origin is not None
    assert swapped(Path(spec.origin).read_text("utf-8"), mutation.swaps, mutation.module)
    file, _, test = mutation.test.partition("::")
    assert f"def {test.partition('[')[0]}(" in (ROOT / file).read_text("utf-8") if test else (ROOT / file).is_file()


@pytest.mark.slow
@pytest.mark.timeout(320)
@EACH
def test_a_test_goes_red_with_it(mutation: Mutation) -> None:
    result = run(mutation.test, mutation.name)
    assert is_red(result), result.stdout[-2000:]
