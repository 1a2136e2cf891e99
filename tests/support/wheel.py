"""The compiled wheel, built from the checkout and installed in an environment of its own, with a copy of the tests.

What is imported there as `hub` is the wheel's; all else comes from the environment that runs these tests.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
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

    def run(self, *arguments: str, seconds: int = 600, **more: Any) -> subprocess.CompletedProcess[str]:
        """Python with these arguments."""
        return subprocess.run(
            [self.python, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=seconds, **more
        )


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
        pytest.skip(lacks)
    base = factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "compiled-wheel"
    folder.mkdir(exist_ok=True)
    found = Elsewhere(folder / "copy", folder / "venv" / "bin" / "python")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _install(build(folder / "dist", "compiled"), folder / "venv", found.python)
            _copy(found.folder)
            (folder / "done").touch()
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
