"""Put the hub's rights on a cluster: the embedded broker comes without Kafka's `kafka-acls` tool.

Numbers are Kafka's own (org.apache.kafka.common: ResourceType, PatternType, AclOperation, AclPermissionType).
Creating a right that exists changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, CreateAclsRequest_v1, DescribeAclsRequest

from hub.config import Settings
from hub.errors import StartError
from hub.kafka import clients
from hub.kafka.acls import Acl
from hub.kafka.closing_clients import Client

RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional-id": 5}
ANY = 1
LITERAL, PREFIXED = 3, 4
ALLOW = 3
HOLD_S = 15.0
"""Longest wait until every broker knows the rights."""
OPERATIONS = {
    "Read": 3,
    "Write": 4,
    "Create": 5,
    "Delete": 6,
    "Alter": 7,
    "Describe": 8,
    "DescribeConfigs": 10,
    "AlterConfigs": 11,
    "IdempotentWrite": 12,
}


Row = tuple[int, str, int, str, str, int, int]
"""resource, name, pattern, principal, host, operation, permission"""


async def apply(settings: Settings, rights: Iterable[Acl]) -> int:
    """Create them as the settings' principal, which must be allowed to; returns how many there are, once
    every broker knows them.

    StartError: no broker, no right, or a cluster without an authorizer.
    """
    wanted = list(rights)
    client = clients.client(settings)
    try:
        await client.bootstrap()
        answer = await client.send(client.get_random_node(), _CreateAll(wanted))
        for right, (code, message) in zip(wanted, answer.creation_responses, strict=True):
            if code:
                raise StartError(f"cannot grant {right}: {for_code(code).__name__}: {message}")
        await _until_they_hold(client, {_row(right) for right in wanted})
    except KafkaError as error:
        raise StartError(f"cannot set rights on {settings.bootstrap}: {type(error).__name__}: {error}") from error
    finally:
        await client.close()
    return len(wanted)


async def _until_they_hold(client: Client, wanted: set[Row]) -> None:
    """The controller answers before the brokers' authorizers have heard; a role that starts now would be refused."""
    deadline = time.monotonic() + HOLD_S
    for broker in client.cluster.brokers():
        while missing := wanted - await _standing(client, broker.nodeId):
            if time.monotonic() > deadline:
                raise StartError(f"broker {broker.nodeId} has not taken up {len(missing)} rights in {HOLD_S:.0f} s")
            await asyncio.sleep(0.05)


async def _standing(client: Client, node: int) -> set[Row]:
    answer = await client.send(node, DescribeAclsRequest(ANY, None, ANY, None, None, ANY, ANY))
    if answer.error_code:
        raise for_code(answer.error_code)(answer.error_message)
    return {
        (kind, name, pattern, *entry) for kind, name, pattern, entries in answer.resources for entry in entries
    }  # fmt: skip


class _CreateAll(CreateAclsRequest):  # type: ignore[misc]
    """All in one request; aiokafka's own class takes a single right, and each request waits for the metadata log."""

    def __init__(self, rights: list[Acl]) -> None:
        self._rights = rights

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        if request_struct_class.API_VERSION < 1:
            raise StartError("the cluster is older than Kafka 2.0 and knows no rights by prefix")
        return request_struct_class([_row(right) for right in self._rights])


def _row(right: Acl) -> Row:
    pattern = PREFIXED if right.prefixed else LITERAL
    operation = OPERATIONS[right.operation]
    return RESOURCES[right.resource], right.name, pattern, f"User:{right.principal}", "*", operation, ALLOW
