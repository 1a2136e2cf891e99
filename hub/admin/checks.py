"""What `hub doctor` looks at. Each check gives findings with a sentence for a person; none changes anything."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from hub.admin import status
from hub.broker import jars, jre
from hub.broker.broker import MIN_FREE_BYTES
from hub.config import Settings
from hub.connect.source import Checked
from hub.control.vault import vault
from hub.errors import ConfigError, HubError
from hub.kafka import clients, topic_admin
from hub.kafka.clients import group_of
from hub.kafka.topics import CATALOGUE
from hub.machine import build
from hub.registry.client import OWN_RECORDS
from hub.registry.http_client import http_args
from hub.sources.role import make_source
from hub.supervisor import plan, roles

WATCHDOG_S = 60.0
"""Processed and committed may be apart for so long under load; longer means that commits do not arrive."""


@dataclass(frozen=True, slots=True)
class Finding:
    """ok: True, False, or None where it could not be found out."""

    what: str
    ok: bool | None
    sentence: str


async def all_checks(settings: Settings) -> AsyncIterator[Finding]:
    """From the machine outwards; what needs Kafka is left out when Kafka does not answer."""
    for local in (disk, java, jars_cached, program, key):
        yield local(settings)
    for finding in places_of_sources(settings):
        yield finding
    reached = await broker(settings)
    yield reached
    if reached.ok:
        for finding in (await topic_catalogue(settings), *await lag(settings)):
            yield finding
    yield await registry(settings)
    async for finding in running(settings):
        yield finding


def disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    wanted = MIN_FREE_BYTES * 4
    return Finding("disk", free >= wanted, f"{free // 2**20:,} MiB free for {folder}; wanted: {wanted // 2**20:,}")


def java(settings: Settings) -> Finding:
    if settings.kafka.bootstrap_servers:
        return Finding("java", True, "not needed: Kafka is a cluster's")
    try:
        found = jre.find()
    except HubError as error:
        return Finding("java", False, str(error))
    return Finding("java", True, f"version {jre.version(found)}, {found}")


def program(settings: Settings) -> Finding:
    """Tells what is compiled here; roles that were started elsewhere say it in their log."""
    for module in ("hub.core.step", "hub.ingress.record"):  # where it is compiled at all, these are
        importlib.import_module(module)
    return Finding("program", True, build.state())


def key(settings: Settings) -> Finding:
    """The key of subscribers' secrets; without secrets there is none."""
    path = vault(settings).key_file
    try:
        keys = vault(settings).keys()
    except HubError as error:
        return Finding("key", False, str(error))
    if not keys:
        return Finding("key", True, f"none yet, {path}; the first secret of a subscriber makes it")
    older = f", and {len(keys) - 1} older" if len(keys) > 1 else ""
    return Finding("key", True, f"{keys[0].id}{older}, in {path}, readable for its owner only")


def jars_cached(settings: Settings) -> Finding:
    if settings.kafka.bootstrap_servers:
        return Finding("jars", True, "not needed: Kafka is a cluster's")
    folder, wanted = jars.cache_dir() / "jars", jars.pinned()
    wrong = [path for path, digest in wanted.items() if jars.sha256(folder / path) != digest]
    if wrong:
        return Finding("jars", False, f"{len(wrong)} of {len(wanted)} are not in {folder}; the next start fetches them")
    return Finding("jars", True, f"{len(wanted)} in {folder}, sums as pinned")


def places_of_sources(settings: Settings) -> list[Finding]:
    """What each source that runs says of its folders: owner, mode, links."""
    found = []
    for name in plan.sources(settings):
        try:
            source = make_source(name, settings)
        except ConfigError as error:
            found.append(Finding(f"source:{name}", False, str(error)))
            continue
        if isinstance(source, Checked):
            found += [Finding(check.what, check.ok, check.sentence) for check in source.checks()]
    return found


async def broker(settings: Settings) -> Finding:
    began = time.monotonic()
    client = clients.admin(settings)
    try:
        await client.start()
        cluster = await client.describe_cluster()
    except (KafkaError, OSError) as error:
        return Finding("kafka", False, f"{settings.bootstrap} does not answer: {type(error).__name__}: {error}")
    finally:
        await client.close()
    took = (time.monotonic() - began) * 1000
    return Finding("kafka", True, f"{settings.bootstrap}: {len(cluster['brokers'])} brokers, {took:.0f} ms")


async def topic_catalogue(settings: Settings) -> Finding:
    client = clients.admin(settings)
    try:
        await client.start()
        found = {t["topic"]: len(t["partitions"]) for t in await client.describe_topics(None)}
    finally:
        await client.close()
    wrong = [f"{t.name} is missing" for t in CATALOGUE if t.name not in found]
    for topic in CATALOGUE:
        have, want = found.get(topic.name), topic_admin.partitions(topic, settings)
        if have is not None and have != want:
            wrong.append(f"{topic.name} has {have} partitions, the catalogue says {want}")
    if wrong:
        return Finding("topics", False, "; ".join(wrong) + "; see `hub topics ensure`")
    return Finding("topics", True, f"{len(CATALOGUE)} as in the catalogue")


async def lag(settings: Settings) -> list[Finding]:
    """Records between each group's committed offset and the end, as the broker knows them."""
    client, consumer = clients.admin(settings), clients.consumer(settings)
    findings = []
    try:
        await client.start()
        await consumer.start()
        prefix = group_of("")
        groups = sorted(name for name, _type in await client.list_consumer_groups() if name.startswith(prefix))
        for group in groups:
            committed = await client.list_consumer_group_offsets(group)
            behind = await _behind(consumer, {tp: meta.offset for tp, meta in committed.items() if meta.offset >= 0})
            lost = sum(1 for _tp, _behind, gone in behind if gone)
            total = sum(records for _tp, records, _gone in behind)
            said = f"{total:,} records behind in {len(behind)} partitions"
            if lost:
                said += f"; in {lost} the committed offset is older than what Kafka still keeps: events were lost to it"
            findings.append(Finding(f"group {group}", not lost, said))
    finally:
        await consumer.stop()
        await client.close()
    return findings


async def _behind(
    consumer: AIOKafkaConsumer, committed: dict[TopicPartition, int]
) -> list[tuple[TopicPartition, int, bool]]:
    if not committed:
        return []
    begins = await consumer.beginning_offsets(list(committed))
    ends = await consumer.end_offsets(list(committed))
    return [(tp, max(0, ends[tp] - offset), offset < begins[tp]) for tp, offset in committed.items()]


async def registry(settings: Settings) -> Finding:
    try:
        async with httpx.AsyncClient(**http_args(settings)) as client:
            subjects = set((await client.get("/subjects")).raise_for_status().json())
    except (httpx.HTTPError, ValueError) as error:
        return Finding("registry", False, f"{settings.registry_url} does not answer: {type(error).__name__}")
    lacking = sorted(set(OWN_RECORDS) - subjects)
    if lacking:
        return Finding(
            "registry", False, f"{settings.registry_url} lacks {', '.join(lacking)}; `hub up` registers them"
        )
    return Finding("registry", True, f"{settings.registry_url} has the hub's {len(OWN_RECORDS)} subjects")


async def running(settings: Settings) -> AsyncIterator[Finding]:
    """Each role that runs or should; and whether what it processed and what it committed part."""
    whole = await status.collect(settings)
    if whole["last_failure"]:
        yield Finding("last stop", False, whole["last_failure"])
    if not whole["roles"]:
        yield Finding("roles", None, f"no hub runs on {settings.data_dir}")
    for row in whole["roles"]:
        bad = "; ".join(c for c in row.get("checks", {}).values() if c.startswith("NOT")) or row["reason"]
        meaning = roles.find(row["role"]).meaning
        yield Finding(row["role"], bool(row.get("ready")), meaning if row.get("ready") else bad or row["state"])
        gap = row.get("watchdog_gap_s", 0.0)
        if gap > WATCHDOG_S:
            yield Finding(row["role"], False, f"processed and committed offsets have been apart for {gap:.0f} s")
