"""The topic catalogue as files for administrators; `python -m hub.kafka.topic_listing deploy/kafka` makes them.

A test compares the files with the catalogue, so that they cannot fall behind.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from hub.kafka.topic_admin import acl_listing
from hub.kafka.topics import CATALOGUE, Topic, agency_topic, config, subscriber_topics

# As they are spelled in the listing; an administrator puts the real names there.
AGENCY, SUBSCRIBER = "AGENCY", "SUBSCRIBER"
DAY_MS = 86_400_000


def all_topics() -> tuple[Topic, ...]:
    """The catalogue, and one agency's and one subscriber's as patterns."""
    return (*CATALOGUE, agency_topic(AGENCY), *subscriber_topics(SUBSCRIBER))


def topics_markdown() -> str:
    """A table: name, partitions, how long it is kept, who writes, who reads, content."""
    rows = [
        "<!-- Written by `python -m hub.kafka.topic_listing deploy/kafka`; do not edit. -->",
        "# Topics",
        "",
        "`partitions`: as `kafka.partitions` (HUB_KAFKA__PARTITIONS, 12). On a cluster: replication 3, min ISR 2.",
        "",
        "| topic | partitions | kept | record limit | who writes | who reads | content |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(rows + [_row(topic) for topic in all_topics()]) + "\n"


def _row(topic: Topic) -> str:
    kept = "compacted" if topic.compact else f"{topic.retention_ms // DAY_MS} d"
    cells = (
        f"`{topic.name}`", str(topic.partitions or "`partitions`"), kept, f"{topic.max_message_bytes // 1024} KiB",
        ", ".join(topic.writers), ", ".join(topic.readers), topic.content,
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def topics_script() -> str:
    """`kafka-topics` commands, for clusters on which the hub may not create topics itself."""
    lines = [*_HEAD, ': "${PARTITIONS:=12}" "${REPLICATION:=3}" "${MIN_ISR:=2}"', ""]
    for topic in all_topics():
        options = " ".join(f"--config {k}={v}" for k, v in config(topic, 0).items() if k != "min.insync.replicas")
        lines.append(
            f"kafka-topics {_CONNECT} --create --if-not-exists --topic {topic.name} "
            f'--partitions {topic.partitions or "$PARTITIONS"} --replication-factor "$REPLICATION" '
            f'--config min.insync.replicas="$MIN_ISR" {options}'
        )
    return "\n".join(lines) + "\n"


def acls_script() -> str:
    """`kafka-acls` commands, one principal per role."""
    lines = [*_HEAD, ""]
    extra = (agency_topic(AGENCY), *subscriber_topics(SUBSCRIBER))
    lines += [right.command('"$BOOTSTRAP"', '"$ADMIN_CONFIG"') for right in acl_listing(extra)]
    return "\n".join(lines) + "\n"


_CONNECT = '--bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG"'
_HEAD = (
    "#!/bin/sh",
    "# Written by `python -m hub.kafka.topic_listing deploy/kafka`; do not edit.",
    f"# {AGENCY} and {SUBSCRIBER} stand for the names of one agency and one subscriber: repeat those lines for each.",
    "set -eu",
    ': "${BOOTSTRAP:?host:port of the cluster}" "${ADMIN_CONFIG:?properties file of the cluster administrator}"',
)


def files() -> dict[str, str]:
    """File name -> content."""
    return {"topics.md": topics_markdown(), "create-topics.sh": topics_script(), "grant-rights.sh": acls_script()}


def main(arguments: Iterable[str]) -> int:
    """Write the files into the folder given."""
    folder = Path(next(iter(arguments), "."))
    for name, content in files().items():
        path = folder / name
        path.write_text(content, "utf-8")
        path.chmod(0o755 if name.endswith(".sh") else 0o644)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
