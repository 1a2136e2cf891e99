"""Delivery into `hub.out.<subscriber>`: every event by its id, acknowledged by the broker (acks=all).

Key, envelope headers and `hub_seq` are those of hub.events. Fields that the schema marks as personal are null unless
the subscriber was given the right to them (`settings.personal_data`); everything else is as the core wrote it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from pydantic import Field

from hub.avro.personal import minimised
from hub.config import Settings, load
from hub.connect.portal import Answer, Item, Strategy
from hub.connect.subscriber_settings import ConnectorSettings, read_settings
from hub.control.records import Subscriber
from hub.errors import Rejected, Retryable
from hub.events.canonical import EVENT_BODIES
from hub.events.families import EVENT_NAMES
from hub.kafka.topics import out
from hub_connectors.kafka_topic.writer import Writer, lease


class KafkaTopicSettings(ConnectorSettings):
    """No secrets: the subscriber reads with its own principal, which the ACLs let read this one topic."""

    personal_data: bool = Field(False, description="True: it has the right to the fields marked personal")
    timeout_s: float = Field(30.0, gt=0, description="longest wait for the broker's acknowledgement")


class KafkaTopicPortal:
    """`Portal` of kind kafka-topic. `hub`: which cluster; None: the settings of this process."""

    strategy = Strategy.EVENT_LOG
    max_fold = 1
    answered = 0
    families = EVENT_NAMES

    def __init__(self, subscriber: str, settings: KafkaTopicSettings, hub: Settings | None = None) -> None:
        self._subscriber = subscriber
        self._topic = out(subscriber)
        self._settings = settings
        self._hub = hub
        self._writer: Writer | None = None

    async def open(self) -> None:
        """All connections of one subscriber in a process share one producer, which batches what they send."""
        if self._writer is None:
            self._writer = await lease(self._hub or load(), self._subscriber)

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.release()

    async def deliver(self, items: Sequence[Item]) -> Answer:
        """Retryable: `broker`, `timeout`. Rejected: `limit` (larger than the topic takes), `forbidden` (no right)."""
        writer = self._open()
        answer = Answer()
        for item in items:
            value = item.value if self._settings.personal_data else _minimised(writer, item)
            try:
                async with asyncio.timeout(self._settings.timeout_s):
                    sent = await writer.producer.send_and_wait(
                        self._topic, value, key=item.key.encode(), headers=item.envelope.headers()
                    )
            except (MessageSizeTooLargeError, RecordListTooLargeError):
                raise Rejected("limit", f"{len(value)} bytes are more than {self._topic} takes") from None
            except TopicAuthorizationFailedError:
                raise Rejected("forbidden", f"the hub has no right to write {self._topic}") from None
            except KafkaError as error:
                raise Retryable("broker", f"{type(error).__name__} from the broker") from None
            except TimeoutError:
                raise Retryable("timeout", f"no acknowledgement within {self._settings.timeout_s:.0f} s") from None
            answer = Answer(text=f"{self._topic} partition {sent.partition} offset {sent.offset}")
        return answer

    async def probe(self) -> None:
        """The topic's partitions, asked of the broker."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                if not await self._open().exists(self._topic):
                    raise Retryable("gone", f"topic {self._topic} does not exist; run `hub topics ensure`")
        except KafkaError as error:
            raise Retryable("broker", f"{type(error).__name__} from the broker") from None
        except TimeoutError:
            raise Retryable("timeout", f"no answer within {self._settings.timeout_s:.0f} s") from None

    def _open(self) -> Writer:
        if self._writer is None:
            raise RuntimeError("the connection is not open")
        return self._writer


def _minimised(writer: Writer, item: Item) -> bytes:
    return writer.codec.write(EVENT_BODIES[item.envelope.type], minimised(item.data))


def portal(subscriber: Subscriber) -> KafkaTopicPortal:
    """Entry point `hub.portals`: an unopened connection. ConfigError names the wrong field."""
    return KafkaTopicPortal(subscriber.name, read_settings(KafkaTopicSettings, subscriber))
