"""The files that administrators use say what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.kafka.topic_listing import all_topics, files

FOLDER = Path(__file__).parents[3] / "deploy" / "kafka"


@pytest.mark.parametrize("name", sorted(files()))
def test_the_file_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == files()[name], "run `python -m hub.kafka.topic_listing deploy/kafka`"


@pytest.mark.parametrize("name", ["create-topics.sh", "grant-rights.sh"])
def test_scripts_may_be_run(name: str) -> None:
    assert (FOLDER / name).stat().st_mode & 0o111


def test_lines_by_hand() -> None:
    """By hand, not from the code."""
    made = files()
    create, grant = made["create-topics.sh"], made["grant-rights.sh"]
    assert "--topic hub.dead-letters --partitions 3 " in create
    assert (
        "--config cleanup.policy=delete --config max.message.bytes=4194304 --config retention.ms=34560000000" in create
    )
    assert "--allow-principal User:agency-AGENCY --operation Write --topic hub.ingress.AGENCY\n" in grant
    assert "User:gateway --operation Write --topic hub.events" not in grant
    assert len(all_topics()) == made["topics.md"].count("\n| `")
