"""Fetch pinned jars: from a Maven repository through `jgo`, a Maven client in pure Python; no Maven program, no JDK.

jgo knows the address of Maven Central and takes proxies from the environment (HTTPS_PROXY, NO_PROXY);
`embedded.jars_url` names a mirror instead. Certificates: REQUESTS_CA_BUNDLE, else SSL_CERT_FILE, else the system's
store (where an office puts the CA of its proxy), else certifi's. What arrives is trusted only after its SHA-256.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hub.errors import StartError

log = logging.getLogger(__name__)

ATTEMPTS = 4
TIMEOUT_S = 30
SYSTEM_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat, Fedora
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
Download = Callable[[str], Path]


def fetch(missing: dict[str, str], folder: Path, mirror: str | None) -> None:
    """Put each file (path in the repository -> SHA-256) under `folder`, checked, by an atomic rename.

    StartError: the repository cannot be reached, it has no such file, or a sum is wrong.
    """
    log.info("fetching %d jars of the embedded broker into %s", len(missing), folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch-") as scratch,
            _trust(),
            _progress() as progress,
        ):
            bar = progress.add_task("Kafka jars", total=len(missing))
            download = _repository(Path(scratch), mirror)
            for path, digest in missing.items():
                _place(_with_retries(download, path), folder / path, digest)
                progress.advance(bar)
    except OSError as error:
        raise StartError(f"cannot store the broker's jars in {folder}: {error}") from None


@contextlib.contextmanager
def _trust() -> Iterator[None]:
    """requests, under jgo, knows REQUESTS_CA_BUNDLE only."""
    name = "REQUESTS_CA_BUNDLE"
    bundle = next(
        (path for path in (os.environ.get("SSL_CERT_FILE"), *SYSTEM_STORES) if path and Path(path).is_file()), ""
    )
    if not bundle or os.environ.get(name) or os.environ.get("CURL_CA_BUNDLE"):
        yield
        return
    os.environ[name] = bundle
    try:
        yield
    finally:
        del os.environ[name]


def _repository(scratch: Path, mirror: str | None) -> Download:
    """The way to one file: a function from its path in the repository to a downloaded file."""
    try:
        from jgo.maven import MavenContext  # imported late: needed once per machine
    except ImportError:
        raise StartError("the package jgo, which fetches the embedded broker's jars, is not installed") from None
    repositories = {"mirror": mirror.rstrip("/")} if mirror else None
    context = MavenContext(repo_cache=scratch, remote_repos=repositories, timeout=TIMEOUT_S)

    def download(path: str) -> Path:
        *group, artifact, version, _file = path.split("/")
        component = context.project(".".join(group), artifact).at_version(version)
        return Path(component.artifact().resolve())

    return download


def _with_retries(download: Download, path: str) -> Path:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return download(path)
        except Exception as error:  # jgo raises RuntimeError, requests its own tree, the system OSError
            log.debug("attempt %d at %s: %s", attempt, path, error)
            if attempt == ATTEMPTS:
                raise StartError(
                    f"cannot fetch {path.rsplit('/', 1)[-1]} of the embedded broker ({_brief(error)}). "
                    "Is the network away? The first start needs it; set HUB_EMBEDDED__JARS_URL to a Maven mirror "
                    "within reach, or HUB_KAFKA__BOOTSTRAP_SERVERS to a cluster"
                ) from None
            time.sleep(0.5 * 2**attempt)
    raise AssertionError("unreachable")


def _place(arrived: Path, target: Path, digest: str) -> None:
    with arrived.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise StartError(
            f"{target.name} is not the file that was pinned: its SHA-256 is {found}, expected {digest}. "
            "Nothing of it was kept; the repository or a proxy on the way altered it"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.move(arrived, beside)
    beside.replace(target)


def _brief(error: Exception) -> str:
    first = str(error).strip().splitlines()[:1]
    return f"{type(error).__name__}: {first[0][:160] if first else ''}"


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), transient=True)
