"""One role in one process: event loop, signals, log, observe port, and an end that tells its reason.

Why it ended stands in `run/<role>.exit` (JSON: code, reason) for the supervisor and `hub status`, since after
kill -9 nobody else can tell an old death from a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop

from hub import exit_codes
from hub.config import Settings
from hub.control.bursts import telling
from hub.errors import StartError
from hub.kafka.embedded_users import acting_as, secured
from hub.machine import garbage_collector
from hub.observe import logs, server
from hub.supervisor import roles

log = logging.getLogger(__name__)

GRACE_S = 20.0
"""On top of `delivery.drain_s`: a role that has not returned so long after SIGTERM is cancelled."""

SUFFIX_PORTS = 20
"""A role with a suffix (deliver:x) takes the first free one of so many observe ports from its number on."""


def run(name: str, settings: Settings, log_file: Path | None = None) -> int:
    """Run the role until SIGTERM or SIGINT; returns the exit code (hub.exit_codes) and never raises but ConfigError
    for a name that is no role."""
    principal = roles.find(name).name.rstrip(":")
    settings = acting_as(settings, principal)
    if secured(settings):  # for a connector that loads the settings itself
        os.environ["HUB_KAFKA__SASL_USERNAME"] = principal
    logs.setup(name, settings.observe, log_file)
    exit_file(settings, name).unlink(missing_ok=True)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main(name, settings))
    except BaseException as error:
        code = exit_codes.INTERRUPTED if isinstance(error, KeyboardInterrupt) else exit_codes.code(error)
        reason = str(error) or type(error).__name__
        fault = code == exit_codes.FAILED
        log.error("%s ends with code %d: %s", name, code, reason, exc_info=error if fault else None)
        _note_end(settings, name, code, reason if not fault else f"{type(error).__name__}: {reason}")
        return code
    log.info("%s stopped", name)
    _note_end(settings, name, exit_codes.OK, "stopped as asked")
    return exit_codes.OK


def exit_file(settings: Settings, name: str) -> Path:
    """Where a role notes how it ended."""
    return settings.run_dir / f"{name.replace(':', '_')}.exit"


def _note_end(settings: Settings, name: str, code: int, reason: str) -> None:
    with contextlib.suppress(OSError):  # a full disk must not hide the reason that was logged above
        path = exit_file(settings, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"code": code, "reason": reason, "pid": os.getpid()}), encoding="utf-8")


async def _main(name: str, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    function = roles.function(name)  # imported before the port opens: a role that answers has loaded
    garbage_collector.calm()
    async with _observe(name, settings) as port, telling(settings):
        log.info("%s starts, pid %d, observe port %d", name, os.getpid(), port)
        work = asyncio.ensure_future(function(name, settings, stop))
        asking = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([work, asking], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                log.info("%s was asked to stop", name)
                limit = settings.delivery.drain_s + GRACE_S
                await asyncio.wait([work], timeout=limit)
                if not work.done():
                    raise RuntimeError(f"did not stop within {limit:.0f} s and was cut off")
            await work
        finally:
            asking.cancel()
            work.cancel()
    if not stop.is_set():
        raise RuntimeError("returned without being asked to stop")


@contextlib.asynccontextmanager
async def _observe(name: str, settings: Settings) -> AsyncIterator[int]:
    role = roles.find(name)
    tries = SUFFIX_PORTS if role.name.endswith(":") and settings.observe.port_base else 1
    async with contextlib.AsyncExitStack() as stack:
        for number in range(role.number, role.number + tries):
            try:
                port = await stack.enter_async_context(server.serve(name, settings, number))
                break
            except StartError:
                if number == role.number + tries - 1:
                    raise
        yield port
