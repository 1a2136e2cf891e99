"""What must be true of the topics before an engine starts on them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from hub.config import Settings
from hub.errors import StartError
from hub.kafka import clients
from hub.stream.stage import EngineConfig

_log = logging.getLogger(__name__)
_APPEAR_TRIES, _APPEAR_WAIT_S = 10, 0.3


async def check_topics(config: EngineConfig, settings: Settings, ask: Callable[[], Awaitable[dict[str, int]]]) -> int:
    """`ask` tells the cluster's topics with partition counts; returns the count that all sources and stores have.

    StartError says which topic is wrong and why it matters.
    """
    wanted = (*config.sources, *config.stores)
    topics = await ask()
    for _ in range(_APPEAR_TRIES):  # a topic made a moment ago may not have reached every broker
        if all(topics.get(topic) for topic in wanted):
            break
        await asyncio.sleep(_APPEAR_WAIT_S)
        topics = await ask()
    if missing := [topic for topic in wanted if not topics.get(topic)]:
        raise StartError(f"{config.name}: topics {', '.join(missing)} do not exist: create them first")
    counts = {topic: topics[topic] for topic in wanted}
    if len(set(counts.values())) != 1:
        raise StartError(
            f"{config.name}: sources and stores must have the same number of partitions, since partition n of each "
            f"belongs together; they have {counts}"
        )
    for store in await _not_compacted(settings, config.stores):
        raise StartError(f"{config.name}: store {store} is not compacted: its state would be deleted by age")
    return counts[wanted[0]]


async def _not_compacted(settings: Settings, stores: Sequence[str]) -> list[str]:
    """Stores whose cleanup policy is not `compact` alone; none where we may not ask."""
    if not stores:
        return []
    admin = clients.admin(settings)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, store) for store in stores])
        found = []
        for answer in answers:
            for code, message, _, name, values in answer.resources:
                if code:
                    raise for_code(code)(message)
                if {value[0]: value[1] for value in values}.get("cleanup.policy") != "compact":
                    found.append(name)
    except KafkaError as error:
        _log.warning("could not ask whether the stores are compacted: %r", error)
        return []
    finally:
        await admin.close()
    return found
