"""Which Java is taken."""

from __future__ import annotations

import pytest

from hub.broker import jre
from hub.errors import StartError


def java_home(folder, version: str):
    (folder / "bin").mkdir(parents=True)
    java = folder / "bin" / "java"
    java.write_text("#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return java


def test_a_fitting_java_home_is_taken(tmp_path, monkeypatch):
    java = java_home(tmp_path, "21.0.3")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert jre.find() == java


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "16"])
def test_an_old_java_home_is_passed_over_for_the_bundled_runtime(tmp_path, monkeypatch, version):
    java = java_home(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = jre.find()
    assert found != java
    assert jre.version(found) >= 17


def test_no_java_at_all_is_said_plainly(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr(jre, "_bundled", lambda: None)
    with pytest.raises(StartError, match=r"no Java 17 or newer .*JAVA_HOME=.* does not fit.*BOOTSTRAP_SERVERS"):
        jre.find()
