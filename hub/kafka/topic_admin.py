"""Topics as the catalogue says: created, mended and listed by one command that may run any number of times.

A topic's partition count is never changed here: keys would move to other partitions and the order per dossier, the
state of the core and every committed offset with them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from hub.config import Settings
from hub.errors import StartError
from hub.kafka.acls import Acl, listing
from hub.kafka.clients import admin
from hub.kafka.topics import AUDIT, CATALOGUE, DAY_MS, Topic, config
from hub.untyped import JsonObject

READY_S = 30.0
"""Longest wait until every new partition has a leader."""

_DYNAMIC_TOPIC_CONFIG = 1
"""`config_source` of a value that was set on the topic itself (Kafka protocol, DescribeConfigs v1)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one topic; `detail` is for a person."""

    topic: str
    what: Literal["created", "configured"]
    detail: str


def acl_listing(extra: Iterable[Topic] = ()) -> list[Acl]:
    """Every right that the hub's principals need, from the catalogue and `extra` topics (see hub.kafka.acls)."""
    return listing((*CATALOGUE, *extra))


def partitions(topic: Topic, settings: Settings) -> int:
    """The topic's own count, or the setting's."""
    return topic.partitions or settings.kafka.partitions


def _as_set(topic: Topic, settings: Settings) -> Topic:
    """The topic, kept as long as the settings say."""
    if topic.name != AUDIT:
        return topic
    return replace(topic, retention_ms=round(settings.audit.keep_years * 365 * DAY_MS))


async def ensure_topics(settings: Settings, extra: Iterable[Topic] = ()) -> list[Change]:
    """Create what is missing, mend what is configured otherwise; returns what was done, nothing the second time.

    StartError: no broker, no right, or a topic has another number of partitions than is asked for.
    """
    return await ensure(settings, (*CATALOGUE, *extra))


async def ensure(settings: Settings, topics: Iterable[Topic]) -> list[Change]:
    """Creates or mends these topics alone; else as `ensure_topics`."""
    wanted = {topic.name: topic for topic in topics}
    client = admin(settings)
    try:
        await client.start()
        found = await _partition_counts(client, list(wanted))
        _refuse_changed_counts(settings, wanted, found)
        changes = await _create(client, settings, [t for n, t in wanted.items() if n not in found])
        changes += await _mend(client, settings, [t for n, t in wanted.items() if n in found])
        if changes:
            await _await_leaders(client, settings, wanted)
        return changes
    except KafkaError as error:
        raise StartError(f"cannot set up topics on {settings.bootstrap}: {type(error).__name__}: {error}") from error
    finally:
        await client.close()


async def _partition_counts(client: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Partition counts of those that exist."""
    return {t["topic"]: len(t["partitions"]) for t in await _describe(client, names)}


async def _describe(client: AIOKafkaAdminClient, names: Collection[str]) -> list[JsonObject]:
    """Asks for all topics: asking by name creates the topic on a cluster that creates automatically."""
    return [topic for topic in await client.describe_topics(None) if topic["topic"] in names]


def _refuse_changed_counts(settings: Settings, wanted: dict[str, Topic], found: dict[str, int]) -> None:
    wrong = [
        f"{name} has {found[name]} partitions, the catalogue asks for {partitions(topic, settings)}"
        for name, topic in wanted.items()
        if name in found and found[name] != partitions(topic, settings)
    ]
    if wrong:
        raise StartError(
            "; ".join(wrong) + ". The count of an existing topic cannot be changed: a key would move to another "
            "partition, and order, state and offsets with it. Set kafka.partitions (HUB_KAFKA__PARTITIONS) back, or "
            "migrate: stop the agencies' input, let every role finish (`hub status` shows no lag), stop the hub, "
            "copy the topic into a new one of the wished count keyed as before, delete and re-create it from the copy, "
            "reset the consumer groups to the earliest offset, and start again"
        )


async def _create(client: AIOKafkaAdminClient, settings: Settings, topics: list[Topic]) -> list[Change]:
    kafka = settings.kafka
    new = [
        NewTopic(
            topic.name, partitions(topic, settings), kafka.replication_factor,
            topic_configs=config(_as_set(topic, settings), kafka.min_insync_replicas),
        )
        for topic in topics
    ]  # fmt: skip
    if not new:
        return []
    answer = await client.create_topics(new, timeout_ms=kafka.request_timeout_ms)
    changes: list[Change] = []
    for name, code, message in answer.topic_errors:
        error = for_code(code)
        if code == 0:
            topic = next(t for t in topics if t.name == name)
            kept = "compacted" if topic.compact else f"kept {_as_set(topic, settings).retention_ms // DAY_MS} d"
            changes.append(Change(name, "created", f"{partitions(topic, settings)} partitions, {kept}"))
        elif error is not TopicAlreadyExistsError:  # another hub process was quicker
            raise error(f"{name}: {message}")
    return changes


async def _mend(client: AIOKafkaAdminClient, settings: Settings, topics: list[Topic]) -> list[Change]:
    """Set what differs. AlterConfigs replaces a topic's whole set, so what others set on it is sent along."""
    if not topics:
        return []
    wanted = {t.name: config(_as_set(t, settings), settings.kafka.min_insync_replicas) for t in topics}
    present = await _topic_configs(client, list(wanted))
    changes: list[Change] = []
    resources: list[ConfigResource] = []
    for name, want in wanted.items():
        have, own = present[name]
        differs = {k: (have.get(k), v) for k, v in want.items() if have.get(k) != v}
        if differs:
            detail = ", ".join(f"{k} {old} -> {new}" for k, (old, new) in differs.items())
            changes.append(Change(name, "configured", detail))
            resources.append(ConfigResource(ConfigResourceType.TOPIC, name, configs=own | want))
    if resources:
        for answer in await client.alter_configs(resources):
            for code, message, _, name in answer.resources:
                if code:
                    raise for_code(code)(f"{name}: {message}")
    return changes


async def _topic_configs(
    client: AIOKafkaAdminClient, names: list[str]
) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """name -> (all effective values, those set on the topic itself)."""
    out: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    for answer in await client.describe_configs(resources):
        for code, message, _, name, entries in answer.resources:
            if code:
                raise for_code(code)(f"{name}: {message}")
            rows: list[tuple[Any, ...]] = list(entries)
            effective = {row[0]: row[1] for row in rows}
            out[name] = effective, {row[0]: row[1] for row in rows if row[3] == _DYNAMIC_TOPIC_CONFIG}
    return out


async def _await_leaders(client: AIOKafkaAdminClient, settings: Settings, wanted: dict[str, Topic]) -> None:
    """A created topic may be written as soon as each partition has a leader, moments after the broker's answer."""
    deadline = time.monotonic() + READY_S
    while True:
        led = {
            topic["topic"]
            for topic in await _describe(client, wanted)
            if not topic["error_code"] and all(p["leader"] >= 0 for p in topic["partitions"])
        }
        waiting = wanted.keys() - led
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise StartError(f"no leader after {READY_S:.0f} s for {', '.join(sorted(waiting))}; see the broker's log")
        await asyncio.sleep(0.05)
