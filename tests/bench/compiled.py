"""The compiled wheel as `make bench` lays it out: it is the hub's row, the plain checkout stands beside it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.spec import Spec

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-bench-compiled"


def there() -> bool:
    """Whether the wheel in FOLDER has machine code."""
    return any(FOLDER.glob("hub__mypyc.*"))


def note() -> list[str]:
    """What to say under the table where it is not."""
    return [] if there() else [f"the hub ran plain: no compiled wheel in {FOLDER.name} (make bench builds it)"]


def python(compiled: bool = True) -> list[str]:
    """A Python in which `hub` is the wheel's, if it is there and wanted; else the checkout's. The tests are at hand."""
    if not (compiled and there()):
        return [sys.executable]
    # -P: the folder in which it is started, the checkout, does not come before the wheel
    return ["env", f"PYTHONPATH={FOLDER}:{ROOT}", sys.executable, "-P"]


def contender(name: str, spec: Spec, more: Sequence[str], compiled: bool) -> list[str]:
    """The command of a contender in Python; `more`: arguments after the specification."""
    return [*python(compiled), "-m", f"tests.bench.contenders.{name}", spec.text(), *more]
