"""Jars: pinned, checked, cached; plain errors when the network is away or a sum is wrong."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.broker import fetch, jars
from hub.errors import StartError

PATH = "org/example/thing/1.0/thing-1.0.jar"
CONTENT = b"the jar's bytes"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """What the remote repository holds; downloads come out of this folder. No waiting between attempts."""
    remote = tmp_path / "remote"
    remote.mkdir()

    def connect(scratch: Path, mirror: str | None):
        def download(path: str) -> Path:
            arrived = scratch / "arrived"
            arrived.write_bytes((remote / path.rsplit("/", 1)[-1]).read_bytes())
            return arrived

        return download

    monkeypatch.setattr(fetch, "_repository", connect)
    monkeypatch.setattr("hub.broker.fetch.time.sleep", lambda seconds: None)
    monkeypatch.setattr(jars, "pinned", lambda: {PATH: DIGEST})
    monkeypatch.setenv("HUB_CACHE_DIR", str(tmp_path / "cache"))
    return remote


def test_fetched_once_then_taken_from_the_cache(repository):
    (repository / "thing-1.0.jar").write_bytes(CONTENT)
    (jar,) = jars.ensure()
    assert jar.read_bytes() == CONTENT
    (repository / "thing-1.0.jar").unlink()
    assert jars.ensure() == [jar]
    assert [p.name for p in jars.cache_dir().iterdir()] == ["jars"], "nothing half-done is left"


def test_a_wrong_sum_is_named_and_nothing_is_kept(repository):
    (repository / "thing-1.0.jar").write_bytes(b"altered on the way")
    with pytest.raises(StartError, match=r"thing-1\.0\.jar is not the file that was pinned: its SHA-256 is"):
        jars.ensure()
    assert not (jars.cache_dir() / "jars" / PATH).exists()


def test_a_damaged_cache_heals(repository):
    (repository / "thing-1.0.jar").write_bytes(CONTENT)
    (jar,) = jars.ensure()
    jar.write_bytes(b"bit rot")
    assert jars.ensure()[0].read_bytes() == CONTENT


def test_no_network_and_an_empty_cache_is_said_plainly(repository):
    with pytest.raises(StartError, match=r"cannot fetch thing-1\.0\.jar of the embedded broker .*Is the network away"):
        jars.ensure()


def test_the_pinned_list_is_whole():
    pinned = jars.pinned()
    names = {path.rsplit("/", 1)[-1] for path in pinned}
    assert {"kafka_2.13-4.3.0.jar", "kafka-clients-4.3.0.jar", "log4j-core-2.25.4.jar"} <= names
    assert all(len(digest) == 64 and path.endswith(".jar") for path, digest in pinned.items())


@pytest.fixture
def mirror(tmp_path) -> Iterator[str]:
    """A Maven repository over HTTP with one file."""
    target = tmp_path / "maven" / PATH
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(tmp_path / "maven"), **kwargs)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_mirror_by_setting_serves(tmp_path, mirror, monkeypatch):
    pytest.importorskip("jgo", reason="the package jgo is not installed")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    fetch.fetch({PATH: DIGEST}, tmp_path / "jars", mirror)
    assert (tmp_path / "jars" / PATH).read_bytes() == CONTENT
