"""Rights from the catalogue: what must be there, and what must not."""

from __future__ import annotations

import pytest

from hub.kafka.acls import Acl
from hub.kafka.topic_admin import acl_listing
from hub.kafka.topics import CATALOGUE, Topic, agency_topic, subscriber_topics

ALL = acl_listing([agency_topic("so-tnmt"), *subscriber_topics("national")])


def _topics(principal: str, operation: str) -> set[str]:
    return {a.name + ("*" if a.prefixed else "") for a in ALL
            if (a.principal, a.resource, a.operation) == (principal, "topic", operation)}  # fmt: skip


def test_who_writes_what() -> None:
    """By hand: who writes and who reads each topic (docs/wire.md#topics-and-rights)."""
    assert _topics("agency-so-tnmt", "Write") == {"hub.ingress.so-tnmt"}
    assert "hub.ingress" in _topics("gateway", "Write")
    assert "hub.events" not in _topics("gateway", "Write")
    writers = {a.principal for a in ALL if a.name == "hub.events" and a.operation == "Write"}
    assert writers == {"core"}
    assert {a.principal for a in ALL if a.name == "_schemas" and a.operation == "Write"} == {"registry"}
    assert _topics("subscriber-national", "Read") == {"hub.out.national"}
    assert _topics("subscriber-national", "Write") == set()
    assert _topics("agency-so-tnmt", "Read") == set()


@pytest.mark.parametrize("topic", CATALOGUE, ids=lambda t: t.name)
def test_every_topic_s_writers_and_readers_are_listed(topic: Topic) -> None:
    mine = [a for a in ALL if a.resource == "topic" and a.name == topic.name]
    assert {a.principal for a in mine if a.operation == "Write"} == set(topic.writers)
    assert {a.principal for a in mine if a.operation == "Read"} == set(topic.readers)


def test_groups_and_transactions() -> None:
    assert Acl("core", "group", "hub.core", "Read", prefixed=True) in ALL
    assert Acl("deliver", "group", "hub.deliver", "Read", prefixed=True) in ALL
    assert Acl("core", "transactional-id", "hub.core", "Write", prefixed=True) in ALL
    assert Acl("gateway", "cluster", "kafka-cluster", "IdempotentWrite") in ALL
    assert {(a.name, a.prefixed) for a in ALL if a.principal == "subscriber-national" and a.resource == "group"} == {
        ("subscriber-national", False),
        ("subscriber-national.", True),
    }, "not the groups of subscriber-national-2"
    assert not [a for a in ALL if a.principal.startswith("agency-") and a.resource == "group"]


def test_nobody_may_alter_the_cluster() -> None:
    """No superuser among the hub's principals: applying rights is the cluster administrator's."""
    assert {(a.principal, a.operation) for a in ALL if a.resource == "cluster"} <= {
        (a.principal, "IdempotentWrite") for a in ALL
    } | {("operator", "Describe")}


def test_commands_for_kafka_s_own_tool() -> None:
    assert Acl("core", "topic", "hub.ingress", "Read").command("broker:9092") == (
        "kafka-acls --bootstrap-server broker:9092 --command-config admin.properties --add "
        "--allow-principal User:core --operation Read --topic hub.ingress"
    )
    assert Acl("core", "group", "hub.core", "Read", prefixed=True).command("b:1").endswith(
        "--operation Read --group hub.core --resource-pattern-type prefixed"
    )  # fmt: skip
    assert Acl("core", "cluster", "kafka-cluster", "IdempotentWrite").command("b:1").endswith(
        "--operation IdempotentWrite --cluster"
    )  # fmt: skip


def test_no_right_is_listed_twice() -> None:
    assert len(set(ALL)) == len(ALL)
    assert sorted(ALL) == ALL
