"""Kafka Streams as a contender: compiled from `java/` with the JDK at hand, its jars pinned by SHA-256."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.avro.generic import parsed
from hub.broker import fetch, jars, jre
from hub.errors import StartError
from hub.model import lifecycle
from hub.model.transitions import STATUSES, STEPS
from tests.bench.race import Command, Java
from tests.bench.spec import Spec

_HERE = Path(__file__).parent
_RECORDS = ("vn.hub.DossierStep", "vn.hub.Dossier", "vn.hub.DossierEvent")


def contenders(folder: Path) -> tuple[Java, Path | None, str]:
    """({"transform": …, "core": …}, the `java` used, why there are none)."""
    javac = _javac()
    if javac is None:
        return {}, None, "Kafka Streams is left out: no javac (set JAVA_HOME to a JDK of version 17 or newer)"
    try:
        class_path, java = _class_path(), jre.find()
    except StartError as error:
        return {}, None, f"Kafka Streams is left out: {error}"
    classes = folder / "classes"
    classes.mkdir()
    sources = sorted(map(str, (_HERE / "java").glob("*.java")))
    done = subprocess.run(
        [javac, "--release", "17", "-nowarn", "-d", classes, "-cp", class_path, *sources],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"the Kafka Streams contender does not compile:\n{done.stderr}")
    whole = os.pathsep.join([str(classes), class_path])
    return {kind: {"kafka streams": _command(java, whole, kind)} for kind in ("transform", "core")}, java, ""


def _javac() -> Path | None:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("javac", path=os.path.join(home, "bin")) if home else shutil.which("javac")
    return Path(found) if found else None


def _class_path() -> str:
    """The broker's jars (clients, Jackson, logging) and those of `java/jars.sha256`, fetched as the broker's are."""
    folder = jars.cache_dir() / "jars"
    lines = (_HERE / "java" / "jars.sha256").read_text(encoding="ascii").splitlines()
    wanted = {path: digest for digest, path in (line.split() for line in lines)}
    missing = {path: digest for path, digest in wanted.items() if jars.sha256(folder / path) != digest}
    if missing:
        fetch.fetch(missing, folder, None)
    return os.pathsep.join(map(str, [*jars.ensure(), *(folder / path for path in wanted)]))


def _command(java: Path, class_path: str, kind: str) -> Command:
    def command(spec: Spec) -> Sequence[str]:
        path = Path(spec.folder) / "spec.json"
        more = {"schemas": {name: json.dumps(_plain(parsed(name))) for name in _RECORDS}, "lifecycle": _lifecycle()}
        path.write_text(json.dumps(json.loads(spec.text()) | more))
        return [str(java), "-Xmx768m", "-cp", class_path, "Bench", kind, str(path)]

    return command


def _plain(schema: Any) -> Any:
    """Without fastavro's marks."""
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if not key.startswith("__")}
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema


def _lifecycle() -> dict[str, Any]:
    """The tables of hub.model.lifecycle, asked for through its public `advance`."""
    rests = range(len(STATUSES))
    after = [
        [lifecycle.advance(lifecycle.Standing(0, rest, rest, 0), rank, 1, False) for rank in range(len(STEPS))]
        for rest in rests
    ]
    return {
        "rank": lifecycle.STEP_RANK,
        "statuses": STATUSES,
        "barred_before": lifecycle.BARRED_BEFORE,
        "rest": [[standing.rest for standing in row] for row in after],
        "status": [[standing.status for standing in row] for row in after],
        "neutral": [rank for rank in range(len(STEPS)) if lifecycle.is_neutral(rank)],
        "unknown": lifecycle.UNKNOWN,
    }
