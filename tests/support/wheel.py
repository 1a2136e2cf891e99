"""The compiled wheel, built from the checkout and installed in an environment of its own, with a copy of the tests.

What is imported there as `hub` is the wheel's, in the tests and in every process that they start; all else comes from
the environment that runs these tests. `python -m tests.support.wheel ARGUMENTS` builds one and runs pytest there.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
ON_A_WHEEL = "not patches and not checkout"
# Beside the tests: what they read.
BESIDE = ("tests", "schemas", "docs", "deploy", "pyproject.toml")


def setup_module() -> ModuleType:
    """The project's setup.py, loaded and not run."""
    spec = importlib.util.spec_from_file_location("hub_setup", ROOT / "setup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Elsewhere:
    """folder: with the copy of the tests and no `hub`. python: of the environment with the wheel."""

    folder: Path
    python: Path

    def run(self, *arguments: str, seconds: int = 600) -> subprocess.CompletedProcess[str]:
        """Python with these arguments."""
        return subprocess.run(
            [self.python, *arguments], cwd=self.folder, env=_environment(), capture_output=True, text=True,
            timeout=seconds,
        )  # fmt: skip

    def passes(self, *arguments: str, seconds: int = 900) -> str:
        """Runs these tests there; AssertionError if one fails. The last line of what pytest says."""
        done = self.run("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments, seconds=seconds)
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done.stdout.splitlines()[-1]

    def survives(self, folder: Path, *tests: str, seconds: int = 900) -> None:
        """These tests of whole processes pass there, and each core that they started said that it runs compiled."""
        assert " passed" in self.passes("--basetemp", str(folder), *tests, seconds=seconds)
        logs = [log.read_text(errors="replace") for log in folder.rglob("*core*.log")]
        said = [line for log in logs for line in log.splitlines() if "the step runs as" in line]
        assert said, "no core left a log"
        plain = [line for line in said if "the step runs as compiled: avro (" not in line]
        assert not plain, plain[0]


def _environment() -> dict[str, str]:
    """This process's, without what would bring the checkout's hub or this run's options in."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}


def build(folder: Path, how: str) -> Path:
    """A wheel in `folder`, HUB_BUILD=`how`. AssertionError with the end of what the build said."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"HUB_BUILD": how}, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    (wheel,) = folder.glob("*.whl")
    return wheel


def elsewhere(factory: pytest.TempPathFactory) -> Elsewhere:
    """The compiled wheel, installed: once for all workers of a test run. Skips where nothing can be compiled."""
    if lacks := setup_module().lacking():
        pytest.skip(f"no compiled wheel is built, and nothing runs from it: {lacks}")
    base = factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "compiled-wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            installed_in(folder)
            (folder / "done").touch()
    return Elsewhere(folder / "copy", folder / "venv" / "bin" / "python")


def installed_in(folder: Path) -> Elsewhere:
    """Builds the compiled wheel and installs it below this folder."""
    found = Elsewhere(folder / "copy", folder / "venv" / "bin" / "python")
    _install(build(folder / "dist", "compiled"), folder / "venv", found.python)
    _copy(found.folder)
    return found


def _install(wheel: Path, venv: Path, python: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=120)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True, timeout=120)
    # Behind its own packages come those that run these tests. Their .pth files, thus the editable hub, are not read.
    (site,) = (venv / "lib").glob("python*/site-packages")
    (site / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")


def _copy(folder: Path) -> None:
    folder.mkdir()
    for name in BESIDE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)


def main(arguments: list[str]) -> int:
    """Pytest with these arguments on a compiled wheel, but for what can run on none; its exit code."""
    if lacks := setup_module().lacking():
        print(f"no compiled wheel can be built: {lacks}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="hub-wheel-") as folder:
        there = installed_in(Path(folder))
        command = [str(there.python), "-m", "pytest", "-p", "no:cacheprovider", "-m", ON_A_WHEEL, *arguments]
        return subprocess.run(command, cwd=there.folder, env=_environment(), check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
