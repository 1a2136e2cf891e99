"""The tests' brokers start with what one of them has learned: 1.3 s of processor time each instead of 3.3.

Once a machine, a broker is started to be watched: Java writes down the classes that it loaded (an AOT cache, JEP 514),
and its freshly formatted folder is kept. Both lie beside the downloaded jars, by Java's and Kafka's version; who finds
none, or one that does not fit, starts as without.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from hub.broker import jars, jre
from hub.broker.broker import EmbeddedBroker

OPTIONS = "JDK_JAVA_OPTIONS"
"""Java's own variable: hubs that a test starts as processes take it along."""

FORMATTED = ("meta.properties", "bootstrap.checkpoint")
ARCHIVE = "kafka.aot"
LEARNED_S = 120.0
"""Longest end of the broker that is watched: Java writes 65 MB."""


def prepare(folder: Path) -> Path:
    """Makes `folder` a formatted one where that is known; later JVMs of this process start quickly."""
    kept = _kept()
    if not kept.exists():
        _learn(kept)
    if kept.exists():
        use(kept)
        (folder / "data").mkdir(parents=True)
        for name in FORMATTED:
            shutil.copy(kept / name, folder / "data" / name)
    return folder


def use(kept: Path | None = None) -> None:
    """All JVMs that this process starts from now on, and those of its children, if there is an archive."""
    kept = kept or _kept()
    if kept.exists():
        os.environ[OPTIONS] = f"-XX:AOTCache={kept / ARCHIVE} -Xlog:aot*=off"


def _kept() -> Path:
    """Another Java or other jars: another folder."""
    parts = [(jre.find().parent.parent / "release").read_text(encoding="utf-8"), *jars.pinned()]
    return jars.cache_dir() / "tests" / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _learn(kept: Path) -> None:
    """One process of a machine does; the others go on without."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / ".lock").open("w") as lock, tempfile.TemporaryDirectory(dir=kept.parent) as temporary:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        fresh, broker = Path(temporary) / "fresh", EmbeddedBroker(Path(temporary) / "kafka", heap_mb=384)
        broker.start().stop()
        fresh.mkdir()
        for name in FORMATTED:
            shutil.copy(broker.folder / "data" / name, fresh / name)
        os.environ[OPTIONS] = f"-XX:AOTCacheOutput={fresh / ARCHIVE}"
        try:
            broker.start().stop(timeout=LEARNED_S)
        finally:
            del os.environ[OPTIONS]
        if (fresh / ARCHIVE).exists():
            fresh.rename(kept)
