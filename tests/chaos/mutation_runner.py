"""Runs each mutation of the engine in turn and asserts that its test goes red.

`python tests/chaos/mutation_runner.py [NAME…]`

A mutation takes out a passage of the engine, or of what it stands on, that keeps a finding of docs/engine.md from
happening. The module is loaded with that passage replaced, in the process that runs the tests and in the workers they
start; the files stay as they are. A passage that is not found exactly once is an error, so this list cannot fall behind
the code.
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

from tests.chaos.engine_mutations import MUTATIONS, Mutation  # noqa: E402

VARIABLE = "ENGINE_MUTATION"  # read by the tests' side alone


def swapped(text: str, swaps: tuple[tuple[str, str], ...], where: str) -> str:
    """The text with each passage replaced; AssertionError for one that is not there exactly once."""
    for passage, without in swaps:
        if text.count(passage) != 1:
            raise AssertionError(f"{where}: found {text.count(passage)} times, not once: {passage!r}")
        text = text.replace(passage, without)
    return text


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module's source with a mutation's passages replaced, past the bytecode cache."""

    def __init__(self, name: str, path: str, swaps: tuple[tuple[str, str], ...]) -> None:
        super().__init__(name, path)
        self._swaps = swaps

    def get_code(self, fullname: str) -> Any:
        text = swapped(self.get_data(self.path).decode(), self._swaps, self.path)
        return self.source_to_code(text.encode(), self.path)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != self._mutation.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(fullname, spec.origin, self._mutation.swaps)
        return spec


def install_asked_for() -> None:
    """Install the mutation that the environment names, if it names one; once a process."""
    name = os.environ.get(VARIABLE)
    if name and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        (mutation,) = (one for one in MUTATIONS if one.name == name)
        assert mutation.module not in sys.modules, "too late, the module is loaded"
        sys.meta_path.insert(0, _Finder(mutation))


def run(test: str, mutation: str = "") -> subprocess.CompletedProcess[str]:
    """Run the test in a process of its own, on the code as it is or with that mutation."""
    environment = {**os.environ, VARIABLE: mutation, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.chaos.mutation_runner",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        test,
    ]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def is_red(result: subprocess.CompletedProcess[str]) -> bool:
    """A test failed (1): not a usage error, an empty selection or a passage that is not there."""
    return result.returncode == 1 and "not once" not in result.stdout


def main(names: list[str]) -> int:
    """Prints a line per mutation; 1 if a test stays green with it."""
    chosen = [one for one in MUTATIONS if not names or one.name in names]
    green = []
    for mutation in chosen:
        red = is_red(run(mutation.test, mutation.name))
        print(
            f"{'red, as it must be' if red else 'STAYS GREEN       '}  {mutation.finding}: {mutation.name}", flush=True
        )
        if not red:
            green.append(mutation)
    print(f"{len(chosen) - len(green)} of {len(chosen)} mutations are noticed by their tests")
    return 1 if green else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

install_asked_for()
