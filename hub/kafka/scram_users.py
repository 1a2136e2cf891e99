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
from typing import Any

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

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users

    def build(self, request_struct_class: type[AlterStruct]) -> AlterStruct:
        return request_struct_class([], [_row(name, password) for name, password in self._users.items()], {})


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
    answer = await client.send(client.get_random_node(), Alter(users))
    for name, code, message, _ in answer.results:
        if code:
            raise StartError(f"cannot set the Kafka user {name}: {for_code(code).__name__}: {message}")
    deadline = time.monotonic() + HOLD_S
    for broker in client.cluster.brokers():
        while missing := await _missing(client, broker.nodeId, users):
            if time.monotonic() > deadline:
                raise StartError(f"broker {broker.nodeId} has not taken up {', '.join(missing)} in {HOLD_S:.0f} s")
            await asyncio.sleep(0.05)


async def _missing(client: Client, node: int, users: Mapping[str, str]) -> list[str]:
    answer = await client.send(node, Describe(users))
    known = {name for name, code, _, credentials, _ in answer.results if not code and credentials}
    return sorted(users.keys() - known)


def _row(name: str, password: str) -> tuple[Any, ...]:
    salt = secrets.token_bytes(32)
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return name, SCRAM_SHA_512, ITERATIONS, salt, hashed, {}
