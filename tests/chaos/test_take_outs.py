"""Each mend of the engine is guarded: its test goes red without it (and is green with it, as the other suites show)."""

from __future__ import annotations

import pytest

from tests.chaos.take_out_list import MENDS, Mend
from tests.chaos.take_outs import is_red, run


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize("mend", MENDS, ids=lambda mend: mend.name.replace(" ", "-"))
def test_a_test_goes_red_without_the_mend(mend: Mend):
    result = run(mend.test, without=mend.name)
    assert is_red(result), result.stdout[-2000:]
