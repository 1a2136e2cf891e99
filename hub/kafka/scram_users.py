"""Users with a password (SCRAM-SHA-512) on a cluster, set by Kafka's own request; aiokafka has none for it.

Kafka protocol, AlterUserScramCredentials and DescribeUserScramCredentials, version 0. The password itself is not sent:
a salted hash of it is (RFC 5802).
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping

from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

from hub.errors import StartError
from hub.kafka.closing_clients import Client

SCRAM_SHA_512 = 2
ITERATIONS = 4_096
"""Kafka's own default and least count; the passwords are 24 random bytes, which no guessing reaches."""
HOLD_S = 15.0
"""Longest wait until the broker knows the users."""

_TEXT = CompactString("utf-8")

Row = tuple[str, int, int, bytes, bytes, dict[int, bytes]]
"""name, mechanism, iterations, salt, salted password, tags"""


class AlterResponse(Response):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(("user", _TEXT), ("error_code", Int16), ("error_message", _TEXT), ("tags", TaggedFields)),
        ),
        ("tags", TaggedFields),
    )


class AlterStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = AlterResponse
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", _TEXT), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", _TEXT),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class Alter(Request[AlterStruct]):  # type: ignore[misc]
    """Sets these users; others stay as they are."""

    API_KEY = 51

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = list(rows)

    def build(self, request_struct_class: type[AlterStruct]) -> AlterStruct:
        return request_struct_class([], self._rows, {})


class DescribeResponse(Response):  # type: ignore[misc]
    API_KEY = 50
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", _TEXT),
        (
            "results",
            CompactArray(
                ("user", _TEXT),
                ("error_code", Int16),
                ("error_message", _TEXT),
                (
                    "credentials",
                    CompactArray(("mechanism", Int8), ("iterations", Int32), ("tags", TaggedFields)),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 50
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = DescribeResponse
    SCHEMA = Schema(("users", CompactArray(("name", _TEXT), ("tags", TaggedFields))), ("tags", TaggedFields))


class Describe(Request[DescribeStruct]):  # type: ignore[misc]
    """Asks which of these users there are."""

    API_KEY = 50

    def __init__(self, users: Iterable[str]) -> None:
        self._users = list(users)

    def build(self, request_struct_class: type[DescribeStruct]) -> DescribeStruct:
        return request_struct_class([(name, {}) for name in self._users], {})


async def apply(client: Client, users: Mapping[str, str]) -> None:
    """Sets each user's password, new or not; returns when the broker takes it. The client must be allowed to, and be
    started. StartError names the user that was refused."""
    rows = {name: _row(name, password) for name, password in users.items()}
    answer = await client.send(client.get_random_node(), Alter(rows.values()))
    for name, code, message, _ in answer.results:
        if code:
            raise StartError(f"cannot set the Kafka user {name}: {for_code(code).__name__}: {message}")
    deadline = time.monotonic() + HOLD_S
    for broker in client.cluster.brokers():
        while missing := await _missing(client, broker.nodeId, rows):
            if time.monotonic() > deadline:
                raise StartError(f"broker {broker.nodeId} has not taken up {', '.join(missing)} in {HOLD_S:.0f} s")
            await asyncio.sleep(0.05)


async def _missing(client: Client, node: int, rows: Mapping[str, Row]) -> list[str]:
    """Those whose new password the broker does not know yet: it tells the count of iterations of the one it knows."""
    answer = await client.send(node, Describe(rows))
    known = {name: iterations for name, code, _, found, _ in answer.results if not code for _, iterations, _ in found}
    return sorted(name for name, row in rows.items() if known.get(name) != row[2])


def _row(name: str, password: str) -> Row:
    """Another count of iterations each time: so that it can be seen which password the broker knows."""
    salt, iterations = secrets.token_bytes(32), ITERATIONS + secrets.randbelow(ITERATIONS)
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)
    return name, SCRAM_SHA_512, iterations, salt, hashed, {}
