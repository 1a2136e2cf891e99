"""A user of Kafka's own for an agency or a subscriber that speaks Kafka: made with a password and its rights."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from pydantic import SecretStr

from hub.config import Settings
from hub.control.audit import Actor, Target, acting
from hub.control.directory import directory
from hub.errors import ConfigError, StartError
from hub.kafka import acl_admin, clients, scram_users
from hub.kafka.acls import agency_principal, listing, subscriber_principal
from hub.kafka.embedded_users import ADMIN, acting_as
from hub.kafka.topic_admin import ensure
from hub.kafka.topics import Topic, agency_topic, subscriber_topics

PASSWORD_BYTES = 24


@dataclass(frozen=True, slots=True)
class KafkaUser:
    """bootstrap: where to connect. password: shown once. topics: what the rights are for."""

    bootstrap: str
    name: str
    password: str
    topics: tuple[str, ...]


async def of_agency(settings: Settings, name: str, by: Actor) -> KafkaUser:
    """It may write its own topic, and nothing else. ConfigError: no such organisation, or it has no topic."""
    principal = agency_principal(name)
    async with acting(settings, by, "kafka-user.make", Target(kind="kafka-user", name=principal)):
        async with directory(settings) as copy:
            found = copy.organisations.get(name)
        if found is None:
            raise ConfigError("name", f"there is no organisation {name!r}; see `hub organisations list`")
        if not found.kafka_topic:
            raise ConfigError(
                "kafka_topic", f"{name} has no topic of its own: hub organisations change {name} --kafka-topic"
            )
        return await _made(settings, principal, [agency_topic(name)])


async def of_subscriber(settings: Settings, name: str, by: Actor) -> KafkaUser:
    """It may read its own topic, and nothing else. ConfigError: no such subscriber."""
    principal = subscriber_principal(name)
    async with acting(settings, by, "kafka-user.make", Target(kind="kafka-user", name=principal)):
        async with directory(settings) as copy:
            if name not in copy.subscribers:
                raise ConfigError("name", f"there is no subscriber {name!r}; see `hub subscribers list`")
        return await _made(settings, principal, subscriber_topics(name))


async def _made(settings: Settings, principal: str, topics: Iterable[Topic]) -> KafkaUser:
    """Made again it has a new password: the old one ends. StartError: the cluster refuses."""
    admin, wanted, password = acting_as(settings, ADMIN), tuple(topics), secrets.token_urlsafe(PASSWORD_BYTES)
    await ensure(admin, wanted)
    rights = [acl for acl in listing(wanted) if acl.principal == principal]
    await acl_admin.apply(admin, rights)
    client = clients.client(admin)
    try:
        await client.bootstrap()
        await scram_users.apply(client, {principal: password})
    except KafkaError as error:
        raise StartError(f"cannot make {principal} on {settings.bootstrap}: {type(error).__name__}") from error
    finally:
        await client.close()
    names = tuple(sorted({acl.name for acl in rights if acl.resource == "topic"}))
    return KafkaUser(settings.bootstrap, principal, password, names)


def signed_in(settings: Settings, user: KafkaUser) -> Settings:
    """The same settings, speaking to Kafka as that user."""
    kafka = settings.kafka.model_copy(
        update={
            "bootstrap_servers": user.bootstrap,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_username": user.name,
            "sasl_password": SecretStr(user.password),
        }
    )
    return settings.model_copy(update={"kafka": kafka})
