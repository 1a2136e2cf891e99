"""Programs from Debian packages for tests: unpacked into the cache, not installed, so the machine stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from hub.embedded.jars import cache_dir


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
