"""The step as machine code: it passes the tests of the plain one, and is not used if it is of other sources."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub import compiled, config
from hub.compiled import build as building
from hub.errors import ConfigError
from hub.supervisor import environment

ROOT = Path(__file__).parents[3]
UNIT = Path("tests/unit")
PATTERNS = ("test_pipeline_*.py", "test_model_*.py", "test_deadlines*.py", "test_derived*.py", "test_wire_envelope.py",
            "test_dossiers_wire.py")  # fmt: skip


def run(folder: Path | str, *arguments: str, seconds: int = 60, **more: str) -> subprocess.CompletedProcess[str]:
    """more: of the environment."""
    environment = os.environ | {compiled.VARIABLE: str(folder), "PYTHONPATH": str(ROOT)} | more
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds
    )


def state(folder: Path | str) -> str:
    done = run(folder, "-c", "from hub import compiled; from hub.core import step; print(compiled.state())")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_compiled_step_passes_the_tests_of_the_plain_one(tmp_path: Path) -> None:
    if building.compiler() is None:
        pytest.skip("there is no C compiler (cc or gcc, or what CC names) to build the step with")
    done = run("", "-m", "hub.compiled.build", str(tmp_path / "built"), seconds=600)
    assert done.returncode == 0, done.stderr
    assert state(tmp_path / "built") == f"compiled ({len(compiled.MODULES)} modules)"
    files = sorted(str(path.relative_to(ROOT)) for name in PATTERNS for path in (ROOT / UNIT).glob(name))
    assert len(files) > 10
    tests = run(tmp_path / "built", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not patches", *files,
                seconds=250)  # fmt: skip
    assert tests.returncode == 0, tests.stdout[-3000:]
    manifest = tmp_path / "built" / compiled.MANIFEST
    made = json.loads(manifest.read_text())
    made["fingerprint"]["hub.core.step"] = "0" * 64
    manifest.write_text(json.dumps(made))
    assert "not of these sources (hub.core.step)" in state(tmp_path / "built")


def test_without_a_compiler_nothing_is_built_and_it_says_so(tmp_path: Path) -> None:
    """A machine without one: nothing on the path, and CC names what is not there."""
    done = run("", "-m", "hub.compiled.build", str(tmp_path / "built"), PATH=str(tmp_path), CC="no-such-compiler")
    assert done.returncode == 1
    assert done.stderr.strip() == "not built: there is no C compiler (cc or gcc, or what CC names)"
    assert not (tmp_path / "built").exists()


def test_no_command_of_the_hub_can_use_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/performance.md says so: the settings refuse the variable, and no role is started with it."""
    settings = config.Settings(data_dir=tmp_path)
    monkeypatch.setenv(compiled.VARIABLE, str(tmp_path))
    with pytest.raises(ConfigError, match=compiled.VARIABLE):
        config.load()
    assert compiled.VARIABLE not in environment.variables(settings)


def test_without_a_build_the_step_is_plain(tmp_path: Path) -> None:
    assert state("") == "plain Python"
    assert state(tmp_path) == "plain Python, since HUB_COMPILED names no folder of a build"


def manifest(folder: Path, **changes: object) -> None:
    made = {
        "fingerprint": compiled.fingerprint(),
        "files": dict.fromkeys((compiled.LIBRARY, *compiled.MODULES), "x.so"),
    }
    (folder / compiled.MANIFEST).write_text(json.dumps(made | changes))


def test_a_build_counts_only_whole_and_of_these_sources_and_this_python(tmp_path: Path) -> None:
    manifest(tmp_path)
    assert "files are missing" in compiled.found(tmp_path)[1]
    (tmp_path / "x.so").touch()
    assert compiled.found(tmp_path)[1] == ""
    manifest(tmp_path, fingerprint=compiled.fingerprint() | {"python": "cpython-399 linux"})
    assert compiled.found(tmp_path)[1] == "a build that is not of these sources (python)"
    manifest(tmp_path, files={compiled.LIBRARY: "x.so"})
    assert "files are missing" in compiled.found(tmp_path)[1]
    (tmp_path / compiled.MANIFEST).write_text("[]")
    assert compiled.found(tmp_path)[1] == "no folder of a build"


def test_what_imports_a_compiled_class_to_derive_from_it_is_compiled_too() -> None:
    """Plain classes cannot be made from compiled ones."""
    assert {"hub.core.catalogue_entry", "hub.core.dossier"} <= set(compiled.MODULES)
    assert all(compiled.source(module).is_file() for module in compiled.MODULES)
