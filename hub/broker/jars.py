"""The broker's jars: pinned by SHA-256 in `jars.sha256`, fetched once, kept in the user's cache.

`jars.sha256` has a line `<sha-256>  <path in a Maven repository>` for each run-time jar of
`org.apache.kafka:kafka_2.13` and for `log4j-slf4j-impl`, as in Kafka's own distribution; `sha256sum -c` reads it too.
Nothing is resolved at run time: each file is asked for by its coordinates, from Maven Central or a mirror.
"""

from __future__ import annotations

import hashlib
import os
from importlib.resources import files
from pathlib import Path

from hub.broker import fetch
from hub.errors import StartError


def cache_dir() -> Path:
    """Where downloaded files are kept: HUB_CACHE_DIR, else XDG_CACHE_HOME/hub, else ~/.cache/hub."""
    if own := os.environ.get("HUB_CACHE_DIR"):
        return Path(own)
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "hub"


def pinned() -> dict[str, str]:
    """Path in a Maven repository -> SHA-256, of every jar the broker needs."""
    text = (files("hub.broker") / "jars.sha256").read_text(encoding="ascii")
    return {path: digest for digest, path in (line.split() for line in text.splitlines())}


def ensure(mirror: str | None = None) -> list[Path]:
    """All jars, checked, in the order of the list (the class path). Missing ones are fetched from `mirror`.

    Cached files are summed at every start (44 MB, a tenth of a second): a damaged one is fetched again. A fetched one
    is checked before an atomic rename puts it in place, so two processes that start together disturb nobody.
    StartError: a sum is wrong, or the network is away and the cache lacks a jar.
    """
    folder = cache_dir() / "jars"
    wanted = pinned()
    missing = {path: digest for path, digest in wanted.items() if sha256(folder / path) != digest}
    if missing:
        fetch.fetch(missing, folder, mirror)
    return [folder / path for path in wanted]


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file, "" if it is absent. StartError if it is there and cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StartError(f"cannot read {path}: {error}") from None
