"""Why the node does not start or has ended, said plainly: what it left in its folder and its log, read for people."""

from __future__ import annotations

import re
from pathlib import Path

from hub.broker import metadata_log
from hub.broker.properties import NODE_ID
from hub.errors import StartError

_KNOWN = (
    (r"No space left on device|Disk quota exceeded", "the disk of {folder} is full"),
    (r"Address already in use", "a port it needs was taken in the meantime; start again"),
    (r"OutOfMemoryError", "its heap is too small; raise HUB_EMBEDDED__HEAP_MB"),
    (r"Could not reserve enough space|Cannot allocate memory", "the machine has too little memory for its heap"),
    (r"Permission denied|AccessDeniedException", "it may not read or write {folder}"),
    (
        r"InconsistentClusterId|InconsistentBrokerMetadata|KafkaStorageException|CorruptRecordException|CorruptIndex"
        r"|InvalidRecordException|Failed to load|recovery state|SnapshotWriter|RecordsSnapshotReader|Malformed"
        r"|log dirs? .*(?:failed|offline)|UncheckedIOException|IllegalStateException.*[Ll]og",
        "its log folder {folder} is damaged; move it aside (the events in it are lost to the hub) or mend it "
        "with Kafka's tools",
    ),
)


def check_data(data: Path) -> None:
    """StartError if `meta.properties` is unusable or gone from a log in use, or the metadata log has a hole."""
    meta = data / "meta.properties"
    advice = f"the log folder {data} is damaged ({{}}); move it aside or restore it from a copy"
    if not meta.exists():
        if any(data.glob("*-[0-9]*")) or (data / "__cluster_metadata-0").exists():
            raise StartError(advice.format("it has partitions but no meta.properties"))
        return
    try:
        text = meta.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(advice.format(f"meta.properties cannot be read: {error}")) from None
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    if lacking := {"version", "cluster.id", "node.id"} - found.keys():
        raise StartError(advice.format(f"meta.properties lacks {', '.join(sorted(lacking))}"))
    if found["node.id"] != NODE_ID:
        raise StartError(advice.format(f"it is that of Kafka node {found['node.id']}, not of an embedded broker"))
    if hole := metadata_log.damage(data / "__cluster_metadata-0"):
        raise StartError(advice.format(hole))


def forget(logs: Path) -> None:
    """Put the last run's log aside as `broker.last.log`, so that `explain` reads of this run only."""
    log = logs / "broker.log"
    if log.exists():
        log.replace(logs / "broker.last.log")


def explain(code: int, logs: Path, folder: Path) -> str:
    """One sentence: how the JVM ended and why, as far as its log tells."""
    said = "\n".join(_tail(logs / name) for name in ("broker.log", "broker.out"))
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    for pattern, meaning in _KNOWN:
        if re.search(pattern, said):
            return f"the embedded broker {how}: {meaning.format(folder=folder)}; see {logs}"
    errors = [line for line in said.splitlines() if re.search(r"ERROR|FATAL|Exception|Error", line)]
    return f"the embedded broker {how}: {errors[-1].strip() if errors else 'its log gives no reason'}; see {logs}"


def _tail(path: Path, size: int = 65_536) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
