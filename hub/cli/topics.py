"""`hub topics ensure|list|acls`: the topic catalogue on the cluster, and who may do what there."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict

import typer

from hub import config
from hub.cli import output
from hub.config import Settings
from hub.control.directory import directory
from hub.control.records import Organisation, Subscriber
from hub.kafka import topic_admin
from hub.kafka.acl_admin import apply as grant
from hub.kafka.topics import CATALOGUE, Topic, agency_topic, subscriber_topics
from hub.supervisor.audit_go_back import go_back as prepare
from hub.supervisor.audit_migration import migrate

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def ensure(as_json: output.Json = False) -> None:
    """Make what is missing and mend what differs, the topics of agencies and subscribers included; may run any time."""
    settings = config.load()
    changes = asyncio.run(_ensure(settings))
    if as_json:
        output.print_json([asdict(change) for change in changes])
    elif changes:
        output.print_table("Done", ("topic", "what", "detail"), [(c.topic, c.what, c.detail) for c in changes])
    else:
        print("all topics are as they should be")


async def _ensure(settings: Settings) -> list[topic_admin.Change]:
    changes = await topic_admin.ensure_topics(settings)
    await migrate(settings)
    extra = await _extra(settings)  # hub.control exists by now
    return changes + (await topic_admin.ensure_topics(settings, extra) if extra else [])


async def _extra(settings: Settings) -> list[Topic]:
    """The topics that the control records ask for: an agency's own, a subscriber's pair."""
    async with directory(settings) as known:
        agencies = [agency_topic(name) for name, body in known.all(Organisation).items() if body.kafka_topic]
        return agencies + [topic for name in known.all(Subscriber) for topic in subscriber_topics(name)]


@app.command("go-back")
def go_back(as_json: output.Json = False) -> None:
    """With the hub stopped, before an older version runs again: write what that one looks for in hub.control."""
    written = asyncio.run(prepare(config.load()))
    if as_json:
        output.print_json({"written": written})
    else:
        print(f"{written} records written; start the older version now")


@app.command("list")
def list_topics(as_json: output.Json = False) -> None:
    """The catalogue: partitions, cleanup, who writes and reads. Asks no broker."""
    settings = config.load()
    rows = [
        {
            "topic": topic.name,
            "partitions": topic_admin.partitions(topic, settings),
            "cleanup": "compact" if topic.compact else f"delete after {topic.retention_ms // 86_400_000} d",
            "writers": list(topic.writers),
            "readers": list(topic.readers),
            "content": topic.content,
        }
        for topic in CATALOGUE
    ]
    if as_json:
        output.print_json(rows)
        return
    cells = [[" ".join(v) if isinstance(v, list) else v for v in row.values()] for row in rows]
    output.print_table("Topics", tuple(rows[0]), cells)


@app.command()
def acls(
    as_json: output.Json = False,
    known: bool = typer.Option(False, help="with the topics of known agencies and subscribers (asks Kafka)"),
    apply: bool = typer.Option(False, help="grant them on the cluster, as the principal of the settings"),
) -> None:
    """Every right that the hub's principals need, as lines for Kafka's own `kafka-acls`; or grant them."""
    settings = config.load()
    rights = topic_admin.acl_listing(asyncio.run(_extra(settings)) if known else ())
    if apply:
        sent = asyncio.run(grant(settings, rights))
        print(f"{sent} rights stand on {settings.bootstrap}", file=sys.stderr)
    if as_json:
        output.print_json([asdict(right) for right in rights])
    elif not apply:
        for right in rights:
            print(right.command(settings.bootstrap))
