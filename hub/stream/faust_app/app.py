"""The Faust app of one engine, and the thread of things between Faust's objects and ours (`Link`).

Everything that this Faust version sets by default and that matters is set here. It opens no port, creates no topics
and no folders, has no tables and no producer of its own: records are written by `Writer`.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import faust
from faust.app.base import BootStrategy

from hub.stream.chunk_runner import Job
from hub.stream.faust_app.link import FAUST_LOG, Link

COMMIT_INTERVAL_S = 0.5
# Chunks that wait in Faust's queue: fetched ahead, little enough to keep memory small.
_BUFFERED_CHUNKS = 16


class _Boot(BootStrategy):
    enable_kafka_producer = False
    enable_web = False


class EngineApp(faust.App):
    """A Faust app that knows its `link`."""

    BootStrategy = _Boot
    logger = FAUST_LOG
    link: Link

    def _create_directories(self) -> None:
        """Faust would make a data folder for tables where the process happens to stand."""


def make_app(link: Link) -> EngineApp:
    """The app with its one agent. Made in the event loop that runs it."""
    config, kafka = link.config, link.settings.kafka
    app = EngineApp(
        config.name,
        broker="chunked://hub",  # the scheme finds our transport; the servers are in the settings
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        processing_guarantee="at_least_once",
        stream_wait_empty=True,
        stream_buffer_maxsize=_BUFFERED_CHUNKS,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_session_timeout=kafka.session_timeout_ms / 1000,
        broker_heartbeat_interval=kafka.heartbeat_interval_ms / 1000,
        broker_rebalance_timeout=kafka.rebalance_timeout_ms / 1000,
        broker_request_timeout=max(kafka.request_timeout_ms, kafka.session_timeout_ms) / 1000,
        consumer_group_instance_id=f"{config.name}-{config.instance}",
        consumer_auto_offset_reset="earliest",
    )
    app.link = link
    for name in ("faust", "mode"):  # they tell each start and stop of their parts; what matters we tell ourselves
        logging.getLogger(name).setLevel(logging.WARNING)
    _add_agent(app, link)
    return app


def _add_agent(app: EngineApp, link: Link) -> None:
    """One agent over all sources, one actor: two of a topic would finish each other's chunks."""
    ledger = link.ledger

    async def work(stream: Any) -> None:
        # noack: the iterator, in C, acknowledges by itself and never asks the consumer otherwise.
        async for event in stream.noack().events():
            message = event.message
            item = message.item
            if item is None or not ledger.live(item):
                continue  # its epoch has ended on the way through the queue: it will be fetched again
            live, finish = partial(ledger.live, item), partial(ledger.finish, item)
            consumer: Any = app.consumer  # ours, by the transport
            await link.dispatch(Job(message.partition, message.records, live, finish, partial(consumer.leave, item)))

    app.agent(app.topic(*link.config.sources), name=f"{link.config.name}.chunks", concurrency=1)(work)
