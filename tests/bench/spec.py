"""What a contender is told, as JSON in its one argument, and how it says that it is there."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from hub.config import Settings


@dataclass(frozen=True)
class Spec:
    """source, sink, store, dead: topics, all but `dead` with `partitions` partitions. group: consumer group, new each
    time. folder: for local files. ids: record name -> schema id."""

    bootstrap: str
    source: str
    sink: str
    store: str
    dead: str
    group: str
    partitions: int
    folder: str
    ids: dict[str, int]

    def text(self) -> str:
        return json.dumps(asdict(self))

    def settings(self) -> Settings:
        return Settings(
            data_dir=Path(self.folder),
            kafka={"bootstrap_servers": self.bootstrap, "partitions": self.partitions},
            observe={"port_base": 0},
        )


def from_argv() -> Spec:
    return Spec(**json.loads(sys.argv[1]))


def on_stop() -> asyncio.Event:
    """Set by SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop
