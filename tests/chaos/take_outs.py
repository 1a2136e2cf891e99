"""Takes each mend of the engine out in turn and asserts that its test goes red.

`python tests/chaos/take_outs.py [NAME…]`

A mend is a passage of the engine, or of what it stands on, that keeps a finding of docs/engine.md from happening. It
is taken out by loading the module with that passage replaced, in the process that runs the tests and in the workers
they start; the files stay as they are. A passage that is not found exactly once is an error, so this list cannot fall
behind the code.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [] if str(ROOT) in sys.path else [str(ROOT)]  # run as a script, only tests/chaos is there

from tests.chaos.take_out_list import MENDS, Mend  # noqa: E402

VARIABLE = "ENGINE_MEND_TAKEN_OUT"  # read by the tests' side alone


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module's source with a mend's passages replaced, past the bytecode cache."""

    def __init__(self, name: str, path: str, swaps: tuple[tuple[str, str], ...]) -> None:
        super().__init__(name, path)
        self._swaps = swaps

    def get_code(self, fullname: str) -> Any:
        text = self.get_data(self.path).decode()
        for passage, without in self._swaps:
            if text.count(passage) != 1:
                raise AssertionError(f"{self.path}: found {text.count(passage)} times, not once: {passage!r}")
            text = text.replace(passage, without)
        return self.source_to_code(text.encode(), self.path)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mend: Mend) -> None:
        self._mend = mend

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != module_of(self._mend):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(fullname, spec.origin, self._mend.swaps)
        return spec


def module_of(mend: Mend) -> str:
    return f"hub.{mend.module}" if "." in mend.module else f"hub.stream.{mend.module}"


def take_out_asked_for() -> None:
    """Take out the mend that the environment names, if it names one; once a process."""
    name = os.environ.get(VARIABLE)
    if name and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        (mend,) = (mend for mend in MENDS if mend.name == name)
        assert module_of(mend) not in sys.modules, "too late, the module is loaded"
        sys.meta_path.insert(0, _Finder(mend))


def run(test: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """The test in a process of its own, with all mends or without that one."""
    environment = {**os.environ, VARIABLE: without, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.chaos.take_outs",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        test,
    ]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def is_red(result: subprocess.CompletedProcess[str]) -> bool:
    """A test failed (1): not a usage error, an empty selection or a mend that could not be taken out."""
    return result.returncode == 1 and "not once" not in result.stdout


def main(names: list[str]) -> int:
    """Prints a line per mend; 1 if a test stays green without its mend."""
    chosen = [mend for mend in MENDS if not names or mend.name in names]
    green = []
    for mend in chosen:
        red = is_red(run(mend.test, without=mend.name))
        print(f"{'red, as it must be' if red else 'STAYS GREEN       '}  {mend.finding}: {mend.name}", flush=True)
        if not red:
            green.append(mend)
    print(f"{len(chosen) - len(green)} of {len(chosen)} mends are guarded by their tests")
    return 1 if green else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

take_out_asked_for()
