"""What this process knows of its connection, as metrics and for `/ready`: is the link up, since when, why not."""

from __future__ import annotations

import time

from hub.observe import metrics


class ConnectionState:
    """Set by attempts and probes. `last_call`: monotonic seconds of the last call that ended, either way."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self.up: bool | None = None
        self.error = ""
        self.last_call = time.monotonic()

    def succeeded(self) -> None:
        self.up, self.error, self.last_call = True, "", time.monotonic()
        metrics.LINK_UP.labels(self._connection).set(1)
        metrics.LINK_LAST_SUCCESS.labels(self._connection).set(time.time())

    def failed(self, kind: str) -> None:
        self.up, self.error, self.last_call = False, kind, time.monotonic()
        metrics.LINK_UP.labels(self._connection).set(0)
        metrics.LINK_LAST_ERROR.labels(self._connection, kind).set(time.time())
