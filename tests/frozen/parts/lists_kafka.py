"""A4: topics, rights, consumer groups, and the arguments of Kafka's clients."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from unittest import mock

from pydantic import SecretStr

from hub.config import CoreSettings, KafkaSettings, Settings
from hub.core.role import engine_config
from hub.delivery.role import group_of as delivery_group_of
from hub.intake.role import GROUP
from hub.kafka import clients, topic_listing
from hub.kafka.topic_admin import acl_listing, partitions
from hub.kafka.topics import CATALOGUE, agency_topic, config, subscriber_topics
from hub.supervisor.roles import ROLES
from tests.frozen.inputs import fixed

CLUSTER = KafkaSettings(
    bootstrap_servers="broker:9093",
    security_protocol="SASL_PLAINTEXT",
    sasl_username="core",
    sasl_password=SecretStr("secret"),
)
KEYS = ("H11.12-260302-0001", "000.00.12.H11-260302-0001", "1.004194", "", "Hồ sơ", "a" * 300)
TOPICS = (*CATALOGUE, agency_topic("motcua"), *subscriber_topics("so-xay-dung"))


def outputs() -> dict[str, Any]:
    with fixed.environment():
        settings = Settings()
        return {
            "topics": {
                topic.name: {
                    **{name: list(v) if isinstance(v, tuple) else v for name, v in asdict(topic).items()},
                    "partitions by the usual settings": partitions(topic, settings),
                    "config": config(topic, 2),
                }
                for topic in TOPICS
            },
            "rights": _rights(),
            "groups": _groups(settings),
            "clients": {"plain": _clients(settings), "secured": _clients(settings.model_copy(update=_SECURED))},
            "partitions_of_keys": {
                key[:30]: [clients.partition_of(key.encode(), n) for n in (1, 3, 12)] for key in KEYS
            },
            "deploy_files": {name: fixed.sha(text) for name, text in topic_listing.files().items()},
        }


_SECURED = {"kafka": CLUSTER, "core": CoreSettings(fencing="transactions")}


def _rights() -> dict[str, list[str]]:
    """By principal: what it may do on what."""
    out: dict[str, list[str]] = {}
    for right in acl_listing(TOPICS[len(CATALOGUE) :]):
        name = f"{right.name}*" if right.prefixed else right.name
        out.setdefault(right.principal, []).append(f"{right.operation} {right.resource} {name}")
    return out


def _groups(settings: Settings) -> dict[str, Any]:
    core = engine_config(fixed.codec(), settings)
    return {
        "of a role": {
            role.name: clients.group_of(role.name + ("x" if role.name.endswith(":") else "")) for role in ROLES
        },
        "intake": GROUP,
        "deliver:national": delivery_group_of("national"),
        "core": {
            "name": core.name,
            "sources": list(core.sources),
            "stores": list(core.stores),
            "instance": core.instance,
            "chunk_records": core.chunk_records,
            "tick_s": core.tick_s,
            "store": core.store,
            "fencing": core.fencing,
        },
    }


def _clients(settings: Settings) -> dict[str, Any]:
    """The arguments with which they are made; none is made."""
    names: dict[str, Any] = dict.fromkeys(("Producer", "Consumer", "Admin"), _arguments)
    with mock.patch.multiple(clients, **names):
        made: dict[str, Any] = {
            "producer": clients.producer(settings),
            "consumer": clients.consumer(settings, "hub.events"),
            "member of a group": clients.consumer(settings, "hub.events", group="hub.x", instance="hub.x-0"),
            "admin": clients.admin(settings),
        }
    return made


def _arguments(*topics: str, **arguments: Any) -> dict[str, Any]:
    return {"topics": list(topics), **arguments}
