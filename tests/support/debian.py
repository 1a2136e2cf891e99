"""Programs from Debian packages for tests: unpacked into the cache, so that the machine stays as it is; installed, when
root, only where a program wants too many others beside it to be unpacked (a browser)."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from hub.broker.jars import cache_dir


def program(package: str, path: str) -> Path:
    """The program at `path` inside the package, or from PATH; else the test is skipped, with the reason."""
    name = Path(path).name
    if found := shutil.which(name):
        return Path(found)
    folder = cache_dir() / "debian" / package
    if not (folder / path).exists():
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            pytest.skip(f"{name} is not installed and this is no Debian, so the package {package} cannot be fetched")
        reason = _unpack(package, folder)
        if not (folder / path).exists():
            pytest.skip(f"the Debian package {package} could not be fetched: {reason}")
    return folder / path


def installed(package: str, *programs: str) -> str:
    """The first of these programs that is on PATH; if none is, the package is installed, when root. Else a skip that
    says what to do."""

    def on_path() -> str | None:
        return next(filter(None, map(shutil.which, programs)), None)

    if found := on_path():
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"no {programs[0]} on this machine; as root on Debian: apt-get install {package}")
    reason = _install(package)
    if found := on_path():
        return found
    pytest.skip(f"the Debian package {package} could not be installed: {reason}")


def _install(package: str) -> str:
    """What apt-get said last. One process at a time: test workers share the machine."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    said = ""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (
            ["update", "-q"],
            ["install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", package],
        ):
            got = subprocess.run(
                ["apt-get", *command], env=environment, capture_output=True, text=True, timeout=400, check=False
            )
            said = (got.stderr.strip().splitlines() or ["apt-get gave no reason"])[-1]
    return said


def _unpack(package: str, folder: Path) -> str:
    """Downloads and unpacks; "" or why not. The package lists are refreshed once when root and they are empty."""
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        for refresh in (False, True):
            if refresh:
                if os.geteuid() != 0:
                    break
                subprocess.run(["apt-get", "update", "-q"], capture_output=True, timeout=120, check=False)
            got = subprocess.run(
                ["apt-get", "download", "-q", package],
                cwd=scratch,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            if debs := list(Path(scratch).glob("*.deb")):
                folder.parent.mkdir(parents=True, exist_ok=True)
                half = folder.with_suffix(".half")
                shutil.rmtree(half, ignore_errors=True)
                subprocess.run(["dpkg-deb", "-x", str(debs[0]), str(half)], check=True, timeout=120)
                half.rename(folder)
                return ""
        return (got.stderr.strip().splitlines() or ["apt-get gave no reason"])[-1]
