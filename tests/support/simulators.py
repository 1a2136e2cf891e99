"""A portal's simulator as a real process, and the subscriber that fits it."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.control.records import Subscriber

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Simulator:
    """address: of the server. url: what the subscriber's settings take. database: the SQLite file it keeps."""

    kind: str
    address: str
    url: str
    database: Path

    def admin(self, path: str, body: Any = None) -> Any:
        """POST to /_admin/…, the answer's JSON."""
        data = json.dumps(body if body is not None else {}).encode()
        request = urllib.request.Request(f"{self.address}/_admin/{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Straight from its database, as an outside checker reads it."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def subscriber(self, name: str, **more: Any) -> Subscriber:
        """`more`: further fields of Subscriber; `settings` are laid over the usual ones."""
        if self.kind == "national-portal":
            settings: dict[str, Any] = {
                "adapter_url": self.url,
                "madonvi": "H11",
                "username": "test",
                "timeout_s": 5,
                "allow_loopback": True,
            }
            secrets = {"password": "test"}
        else:
            settings, secrets = {"url": self.url, "allow_loopback": True, "timeout_s": 5}, {"signing": SECRET}
        settings |= more.pop("settings", {})
        return Subscriber(name=name, kind=self.kind, settings=settings, secrets=secrets, **more)


@contextlib.contextmanager
def simulator(kind: str, folder: Path, *options: str) -> Iterator[Simulator]:
    """`kind`: national-portal or webhook; `options` as on its command line."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / f"{kind}.sqlite"
    command = [sys.executable, "-m", "hub", "simulate", kind, "--port", "0", "--database", str(database), *options]
    if kind == "webhook":
        command += ["--secret", SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first, second = process.stdout.readline(), process.stdout.readline()
            address, url = re.search(r"simulator: (\S+)", first), re.search(r"url: (\S+)", second)
            assert address, first
            assert url, second
            yield Simulator(kind, address[1], url[1], database)
        finally:
            process.terminate()
            process.wait(60)
