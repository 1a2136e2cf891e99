"""The one place where Kafka clients are made: security, limits and the partitioner are the same everywhere."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from functools import lru_cache
from struct import unpack_from
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from hub.config import KafkaSettings, Settings
from hub.kafka import embedded_users
from hub.kafka.closing_clients import Admin, Client, Consumer, Producer
from hub.kafka.topics import DEAD_LETTER_LIMIT
from hub.untyped import Arguments

Headers = Sequence[tuple[str, bytes]]
# One dead letter with its headers must fit into a request.
MAX_REQUEST_BYTES = DEAD_LETTER_LIMIT + 262_144


_M, _MASK = 0x5BD1E995, 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Kafka's hash of a key (org.apache.kafka.common.utils.Utils.murmur2), 32 bits without sign. aiokafka's takes the
    key byte by byte and twice as long; the gateway meets a new key with every dossier."""
    length = len(key)
    words, tail = length >> 2, length & 3
    found = 0x9747B28C ^ length
    for word in unpack_from(f"<{words}I", key):
        word = word * _M & _MASK
        found = (found * _M & _MASK) ^ ((word ^ word >> 24) * _M & _MASK)
    if tail:
        found = (found ^ int.from_bytes(key[-tail:], "little")) * _M & _MASK
    found = (found ^ found >> 13) * _M & _MASK
    return found ^ found >> 15


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """Kafka's default partitioner for keyed records; every writer of a keyed hub topic uses it. Remembered: murmur2 in
    Python costs as much as decoding the record, and the same keys come again and again."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def group_of(role: str) -> str:
    """Consumer group of a role: `hub.core`, `hub.deliver.national` for `deliver:national`."""
    return "hub." + role.replace(":", ".")


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """TLS as set, or None for a protocol without it."""
    if "SSL" not in kafka.security_protocol:
        return None
    context = ssl.create_default_context(cafile=str(kafka.ssl_cafile) if kafka.ssl_cafile else None)
    context.check_hostname = kafka.ssl_check_hostname
    if kafka.ssl_certfile:
        context.load_cert_chain(str(kafka.ssl_certfile), str(kafka.ssl_keyfile) if kafka.ssl_keyfile else None)
    return context


def client_args(settings: Settings) -> Arguments:
    """Arguments that every aiokafka client takes."""
    kafka = settings.kafka
    args: Arguments = {
        "bootstrap_servers": settings.bootstrap,
        "security_protocol": kafka.security_protocol,
        "request_timeout_ms": kafka.request_timeout_ms,
    }
    if context := tls_context(kafka):
        args["ssl_context"] = context
    if (login := embedded_users.login(settings)) is not None:
        args |= {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": login.user,
            "sasl_plain_password": login.password,
        }
    elif kafka.security_protocol.startswith("SASL") and kafka.sasl_password:
        args |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": kafka.sasl_password.get_secret_value(),
        }
    return args


def producer(settings: Settings, **extra: Any) -> AIOKafkaProducer:
    """acks=all, large batches, no linger (we batch by chunk). Not started."""
    args: Arguments = {
        "acks": "all",
        "linger_ms": 0,
        "max_batch_size": 1_000_000,
        "max_request_size": MAX_REQUEST_BYTES,
    }
    return Producer(**(client_args(settings) | args | extra))


def consumer(
    settings: Settings, *topics: str, group: str | None = None, instance: str | None = None, **extra: Any
) -> AIOKafkaConsumer:
    """No auto-commit; starts at the earliest offset where nothing is committed. Not started."""
    kafka = settings.kafka
    args: Arguments = {
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "fetch_max_bytes": 32 << 20,
        "max_partition_fetch_bytes": MAX_REQUEST_BYTES,
    }
    if settings.core.fencing == "transactions":
        args["isolation_level"] = "read_committed"
    if group is not None:
        args |= {
            "group_id": group,
            "group_instance_id": instance,
            "session_timeout_ms": kafka.session_timeout_ms,
            "heartbeat_interval_ms": kafka.heartbeat_interval_ms,
            "rebalance_timeout_ms": kafka.rebalance_timeout_ms,
            "max_poll_interval_ms": 300_000,
        }
    return Consumer(*topics, **(client_args(settings) | args | extra))


def admin(settings: Settings) -> AIOKafkaAdminClient:
    """Not started."""
    return Admin(**client_args(settings))


def client(settings: Settings) -> Client:
    """What the others stand on, for requests that none of them has. Not started (`bootstrap`)."""
    return Client(**client_args(settings))


async def send_all(
    producer: AIOKafkaProducer, records: Iterable[tuple[str, bytes | None, bytes | None, Headers]]
) -> None:
    """Sends (topic, key, value, headers) and returns when the broker has confirmed every one, in order per key."""
    pending = [
        await producer.send(topic, value, key=key, headers=list(headers)) for topic, key, value, headers in records
    ]
    failed: BaseException | None = None
    for future in pending:
        try:
            await future
        except Exception as error:
            failed = failed or error
    if failed is not None:
        raise failed
