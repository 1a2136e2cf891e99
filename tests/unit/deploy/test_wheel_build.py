"""How the wheel is built: when it is compiled, of what, and with which versions of what machine code is bound to."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import wheel
from tests.support.wheel import ROOT

SETUP = wheel.setup_module()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch):
    """asked(how, command, lacks): whether that build compiles."""

    def ask(how: str | None, command: str, lacks: str = "") -> bool:
        monkeypatch.setattr(sys, "argv", ["setup.py", command])
        monkeypatch.setattr(SETUP, "lacking", lambda: lacks)
        if how is None:
            monkeypatch.delenv("HUB_BUILD", raising=False)
        else:
            monkeypatch.setenv("HUB_BUILD", how)
        return SETUP.compiles()

    return ask


@pytest.mark.parametrize(
    ("how", "command", "compiles"),
    [
        (None, "bdist_wheel", True),
        ("auto", "bdist_wheel", True),
        ("compiled", "bdist_wheel", True),
        ("plain", "bdist_wheel", False),
        (None, "editable_wheel", False),
        ("auto", "editable_wheel", False),
        ("compiled", "editable_wheel", True),
        ("compiled", "egg_info", False),
        ("compiled", "dist_info", False),
    ],
)
def test_when_it_is_compiled(how: str | None, command: str, compiles: bool, asked) -> None:
    assert asked(how, command) is compiles


def test_without_a_compiler_auto_is_plain_and_says_so(asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("auto", "bdist_wheel", "there is no C compiler (cc)") is False
    assert capsys.readouterr().err == "the hub is built plain: there is no C compiler (cc)\n"


def test_without_a_compiler_compiled_is_refused(asked) -> None:
    with pytest.raises(SystemExit, match=r"HUB_BUILD=compiled, but there is no Python\.h"):
        asked("compiled", "bdist_wheel", "there is no Python.h (/x/Python.h)")


def test_no_other_word_is_taken(asked) -> None:
    with pytest.raises(SystemExit, match="HUB_BUILD must be compiled, plain or auto; got fast"):
        asked("fast", "bdist_wheel")


def test_what_a_machine_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    assert SETUP.lacking() == "there is no C compiler (no-such-compiler)"
    monkeypatch.setenv("CC", sys.executable)  # any program
    monkeypatch.setattr(SETUP.sysconfig, "get_path", lambda _: str(tmp_path))
    assert SETUP.lacking() == f"there is no Python.h ({tmp_path}/Python.h)"
    (tmp_path / "Python.h").touch()
    assert SETUP.lacking() == ""


def test_every_row_of_the_table_finds_a_module() -> None:
    for pattern in SETUP.COMPILED:
        assert list(ROOT.glob(pattern)), pattern


def test_a_module_that_does_not_compile_ends_the_build(tmp_path: Path) -> None:
    """Also under `auto`: only a missing compiler makes it plain."""
    (tmp_path / "setup.py").write_text((ROOT / "setup.py").read_text("utf-8"), "utf-8")
    (tmp_path / "hub" / "avro").mkdir(parents=True)
    (tmp_path / "schemas").mkdir()
    (tmp_path / "hub" / "avro" / "reader.py").write_text("def wrong() -> int:\n    return 'text'\n")
    code = "import runpy, sys; sys.argv[1:] = ['bdist_wheel']; runpy.run_path('setup.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          env={"PATH": "/usr/bin:/bin", "HUB_BUILD": "auto"})  # fmt: skip
    assert done.returncode != 0
    assert "Incompatible return value type" in done.stdout + done.stderr


def pinned(file: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "requirements" / file).read_text(), re.M))


def test_what_machine_code_is_bound_to_is_pinned_alike_at_build_and_run() -> None:
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    built = dict(line.split("==") for line in requires if "==" in line)
    assert built.keys() == {"mypy", "mypy-extensions", "librt", "msgspec"}
    assert pinned("dev.txt").items() >= built.items()
    del built["mypy"]  # no part of what runs
    assert pinned("hub.txt").items() >= built.items()
    assert pinned("bench.txt").items() >= built.items()


def test_the_checkout_has_no_machine_code() -> None:
    """Editable, so plain; a file that a build left would be taken before the source."""
    assert [path for room in ("hub", "connectors") for path in (ROOT / room).rglob("*.so")] == []
