"""One real Kafka node (KRaft: broker and controller in one JVM) in a folder of the user's choosing.

Folder: `data/` Kafka's log, `logs/` what the JVM says, `server.properties` as last started, `.lock` held by the hub
that runs it. The node dies with the process that started it (kill -9 included), so none is left holding the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from aiokafka.errors import KafkaError

from hub.broker import faults, jars, jre, properties
from hub.broker.properties import Sasl
from hub.errors import StartError
from hub.kafka import scram_users
from hub.kafka.closing_clients import Client
from hub.machine import ports
from hub.machine.child_process import die_with_parent, spawn

log = logging.getLogger(__name__)

READY_S = 60.0
"""Longest wait for the node's first answer; it takes about 3 s on an idle laptop."""

STOP_S = 20.0
"""Longest wait for a clean stop, then the JVM is killed; Kafka recovers its log at the next start."""

MIN_FREE_BYTES = 256 * 1024 * 1024
"""With less free space the node does not start: two log segments must fit."""


class EmbeddedBroker:
    """Start, await and stop one node.

    port 0 takes any free port (`.port` says which). `sasl_users` (name -> password) makes the node demand SCRAM-SHA-512
    and refuse everything that no ACL allows; `sasl_admin` is its super user. Their passwords are set at each start, by
    `set_users`, which `start` calls.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        heap_mb: int = 512,
        sasl_users: Mapping[str, str] | None = None,
        sasl_admin: str = "admin",
        jars_url: str | None = None,
    ) -> None:
        self.folder = Path(data_dir).resolve()
        self.port = port
        self._any_port = port == 0
        self._heap_mb = heap_mb
        self._sasl = Sasl(sasl_admin, sasl_users) if sasl_users else None
        self._jars_url = jars_url
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; the port is known after `launch`."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the JVM, 0 while none runs."""
        return self._process.pid if self._process else 0

    def start(self, timeout: float = READY_S) -> EmbeddedBroker:
        """Launch and block until the node answers. StartError names what is wrong; nothing is left running then."""
        self.launch()
        try:
            deadline = time.monotonic() + timeout
            while not self.ready():
                if time.monotonic() > deadline:
                    raise StartError(f"the embedded broker did not answer within {timeout:.0f} s; see {self._logs}")
                time.sleep(0.05)
            if self._sasl:  # in a thread: there may be a loop in this one
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(asyncio.run, self.set_users()).result(timeout)
        except BaseException:
            self.stop(timeout=0)
            raise
        return self

    def launch(self) -> None:
        """Check, format a new folder, start the JVM; returns before it answers. StartError as plain as can be."""
        java, class_path = jre.find(), os.pathsep.join(map(str, jars.ensure(self._jars_url)))
        self._prepare_folder()
        self._take_lock()
        try:
            self._check_folder()
            if self._any_port:
                self.port = ports.free_port()
            ports.check_free(self.port)
            self._write_configuration()
            if not (self._data / "meta.properties").exists():
                self._format(java, class_path)
            self._process = self._spawn_jvm(java, class_path)
        except BaseException:
            self._drop_lock()
            raise

    def ready(self) -> bool:
        """Does the node answer an ApiVersions request? StartError with the reason if the JVM has ended."""
        code = self.poll()
        if code is not None:
            raise StartError(faults.explain(code, self._logs, self.folder))
        return ports.answers_api_versions(self.port)

    async def set_users(self) -> None:
        """Gives the users their passwords once the node answers. StartError: it refuses."""
        if self._sasl is None:
            return
        logging.getLogger("aiokafka.conn").setLevel(logging.ERROR)  # it warns that a password is sent: to ourselves
        client = Client(
            bootstrap_servers=self.bootstrap,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            sasl_plain_username=self._sasl.admin,
            sasl_plain_password=self._sasl.users[self._sasl.admin],
        )
        try:
            await client.bootstrap()
            await scram_users.apply(client, self._sasl.users)
        except KafkaError as error:
            raise StartError(f"cannot set users on {self.bootstrap}: {type(error).__name__}: {error}") from error
        finally:
            await client.close()

    def poll(self) -> int | None:
        """Exit code of the JVM, None while it runs."""
        return self._process.poll() if self._process else None

    def reason(self) -> str:
        """Why the JVM ended, in a sentence, from its code and its log."""
        code = self.poll()
        return "it still runs" if code is None else faults.explain(code, self._logs, self.folder)

    def stop(self, timeout: float = STOP_S) -> None:
        """Clean stop within `timeout` seconds, then kill. Safe to call twice."""
        process, self._process = self._process, None
        try:
            if process is not None:
                if process.poll() is None and timeout > 0:
                    process.terminate()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(timeout)
                if process.poll() is None:
                    process.kill()
                process.wait()
        finally:
            self._drop_lock()

    def __enter__(self) -> EmbeddedBroker:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _logs(self) -> Path:
        return self.folder / "logs"

    def _prepare_folder(self) -> None:
        try:
            self._logs.mkdir(parents=True, exist_ok=True)
            self._data.mkdir(exist_ok=True)
        except OSError as error:
            raise StartError(f"cannot use {self.folder} for the embedded broker: {error.strerror}") from None

    def _take_lock(self) -> None:
        lock = (self.folder / ".lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise StartError(
                f"another hub (pid {holder}) runs its broker in {self.folder}; stop it, or choose another data_dir"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _drop_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _check_folder(self) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < MIN_FREE_BYTES:
            raise StartError(
                f"the disk of {self.folder} is full: {free // 2**20} MiB free, "
                f"the embedded broker wants {MIN_FREE_BYTES // 2**20} MiB"
            )
        faults.check_data(self._data)

    def _write_configuration(self) -> None:
        text = properties.server(self._data, self.port, ports.free_port(), self._sasl)
        path = self.folder / "server.properties"
        path.touch(mode=0o600)  # it may hold the admin's password
        path.write_text(text, encoding="utf-8")
        (self.folder / "log4j2.properties").write_text(properties.log4j2(self._logs), encoding="utf-8")

    def _command(self, java: Path, class_path: str, main: str, heap_mb: int) -> list[str]:
        return [
            str(java),
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC" if heap_mb < 256 else "-XX:+UseG1GC",
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            "-cp",
            class_path,
            main,
        ]

    def _format(self, java: Path, class_path: str) -> None:
        cluster = ports.cluster_id()
        command = self._command(java, class_path, "kafka.tools.StorageTool", heap_mb=128)
        command += ["format", "--cluster-id", cluster, "--config", str(self.folder / "server.properties")]
        # It dies with this process: else it would go on beside the format of the next start, which then fails.
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=READY_S, cwd=self.folder,
            preexec_fn=die_with_parent(os.getpid()),
        )  # fmt: skip
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise StartError(f"cannot format {self._data} for Kafka: {said[-1] if said else done.returncode}")

    def _spawn_jvm(self, java: Path, class_path: str) -> subprocess.Popen[bytes]:
        command = self._command(java, class_path, "kafka.Kafka", self._heap_mb)
        command.append(str(self.folder / "server.properties"))
        faults.forget(self._logs)
        with (self._logs / "broker.out").open("wb") as out:
            return spawn(command, out, cwd=self.folder)
