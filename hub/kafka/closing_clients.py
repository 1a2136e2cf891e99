"""aiokafka's clients, closed to the last connection however their life ends. Made by `hub.kafka.clients` alone.

aiokafka 0.14 leaves connections open in four cases: the first question to the cluster is cancelled; `start` fails and
nobody calls `stop`; `stop` is cancelled, after which it does nothing any more; `stop` comes while a fetch pauses after
a failed request, and ends with that fetch's cancellation. Its `close` also swallows the caller's cancellation, and
waits without limit for a broker that takes nothing. What is private to aiokafka is touched here for these reasons.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_AGAIN_S = 0.1
_SENT_S = 1.0  # for what still stands in a socket's buffer at the end
# Of a consumer with a group the first three, of one without the last.
_COORDINATOR_TASKS = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task", "_reset_committed_task")


class Client(AIOKafkaClient):  # type: ignore[misc]
    """Opens nothing after `close`, and forgets no connection before."""

    _over = False
    _sync_task: asyncio.Task[None] | None

    async def bootstrap(self) -> None:
        """Ask the cluster who it is. Whatever ends this early, the connection for it is closed."""
        try:
            await super().bootstrap()
        except BaseException as error:
            for frame, _ in traceback.walk_tb(error.__traceback__):
                lost = frame.f_locals.get("bootstrap_conn")  # nothing else refers to it
                if lost is not None:
                    lost.close()
            raise

    async def _get_conn(self, node_id: Any, **how: Any) -> AIOKafkaConnection | None:
        if self._over:
            return None
        found: AIOKafkaConnection | None = await super()._get_conn(node_id, **how)
        if self._over and found is not None:
            found.close()
            return None
        return found

    async def close(self) -> None:
        """Requests that wait for an answer fail. What a silent broker does not take from a socket is thrown away."""
        self._over = True
        transports = [one._writer.transport for one in self._conns.values() if one._writer is not None]
        closing = [one.close(reason=CloseReason.SHUTDOWN) for one in self._conns.values()]
        task, self._sync_task = self._sync_task, None
        if task is not None:
            await _cancelled((task,))
        if closing:
            await asyncio.wait(closing, timeout=_SENT_S)
        for transport in transports:
            transport.abort()


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]
    """`start` that fails has closed everything; `stop` closes everything, also when it is cancelled."""

    _ending = False

    def __init__(self, *topics: str, **arguments: Any) -> None:
        super().__init__(*topics, **arguments)
        self._client.__class__ = Client  # aiokafka makes it itself and asks nobody which

    async def start(self) -> None:
        await _started(super().start(), self._cut, self.stop)

    async def stop(self) -> None:
        if not self._ending:
            self._ending = True
            await _ended(super().stop(), self._cut)

    async def _cut(self) -> None:
        """End at once: without leaving the group, without waiting for a rebalance."""
        await self._client.close()
        tasks = [getattr(self._coordinator, name, None) for name in _COORDINATOR_TASKS]
        if self._fetcher is not None:
            tasks += [self._fetcher._fetch_task, *self._fetcher._pending_tasks]
        await _cancelled(task for task in tasks if task is not None)


class Producer(AIOKafkaProducer):  # type: ignore[misc]
    """`start` that fails has closed everything; `stop` waits for what is being sent, unless it is cancelled."""

    _ending = False

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.client.__class__ = Client

    async def start(self) -> None:
        await _started(super().start(), self._cut, self.stop)

    async def stop(self) -> None:
        if not self._ending:
            self._ending = True
            await _ended(super().stop(), self._cut)

    async def _cut(self) -> None:
        """Whoever still waits for a confirmation is told that there will be none."""
        await self.client.close()
        if (task := self._sender.sender_task) is not None:
            await _cancelled((task,))
        self._message_accumulator.fail_all(KafkaConnectionError("the producer was stopped"))
        if self._txn_manager is not None and (ended := self._txn_manager.wait_for_transaction_end()) is not None:
            # Told to whoever sent; aiokafka tells it here once more, and nobody asks.
            _ = ended.done() and not ended.cancelled() and ended.exception()


class Admin(AIOKafkaAdminClient):  # type: ignore[misc]
    """`start` that fails has closed everything."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._client.__class__ = Client

    async def start(self) -> None:
        await _started(super().start(), self._client.close, self.close)


Close = Callable[[], Coroutine[Any, Any, None]]


async def _started(starting: Coroutine[Any, Any, None], cut: Close, stop: Close) -> None:
    """Nothing was done yet with a client whose start fails: its connections are cut first, so `stop` waits for none."""
    try:
        await starting
    except BaseException:
        await cut()
        await stop()
        raise


async def _ended(stopping: Coroutine[Any, Any, None], cut: Close) -> None:
    """aiokafka's way to stop, in a task of its own; cut short if the caller is cancelled meanwhile.

    It ends as cancelled where aiokafka awaits what it has itself cancelled; `cut` does what it left undone then.
    """
    task = asyncio.ensure_future(stopping)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        await cut()
        await _cancelled((task,))
        raise
    await cut()
    if not task.cancelled():
        task.result()


async def _cancelled(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Until they have ended. One that waits for another may take the first cancellation for the other's, and go on."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=_AGAIN_S)
        for task in done:
            if not task.cancelled():
                task.exception()  # it was told to whoever read or wrote
