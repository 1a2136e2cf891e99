"""One engine in a process of its own, to be killed and frozen: `python -m tests.chaos.engine.worker JSON`.

The JSON holds: bootstrap, data_dir, names (of `load.Names`), instance, kafka (settings), chunk_records, pause_ms (per
chunk), die_at (the record whose step kills the process), store (memory or disk), fencing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.config import Settings
from hub.stream.engine import Engine
from hub.stream.stage import Record
from tests.chaos.engine.load import Names, config


async def main(order: dict[str, Any]) -> None:
    settings = Settings(
        data_dir=Path(order["data_dir"]), kafka={"bootstrap_servers": order["bootstrap"], **order.get("kafka", {})}
    )
    names = Names(**order["names"] | {"sources": tuple(order["names"]["sources"])})
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)

    def wrap(records: Sequence[Record]) -> None:
        if pause := order.get("pause_ms"):
            time.sleep(pause / 1000)
        if (at := order.get("die_at")) and any((r.value or b"").startswith(b"%d:" % at) for r in records):
            os.kill(os.getpid(), signal.SIGKILL)

    engine_config = config(
        names,
        wrap=wrap,
        instance=order["instance"],
        chunk_records=order.get("chunk_records", 1000),
        store=order.get("store", "memory"),
        fencing=order.get("fencing", "lease"),
    )
    engine = Engine(engine_config, settings)
    await engine.run(stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    asyncio.run(main(json.loads(sys.argv[1])))
