"""The embedded broker on real processes: it serves, keeps what it took, dies with its owner, fails in plain words."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAuthorizationFailedError

from hub.broker import broker as broker_module
from hub.broker.broker import EmbeddedBroker
from hub.errors import StartError
from hub.machine import ports

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def used(tmp_path_factory) -> Path:
    """The folder of a broker that ran once and stopped; tests take a copy."""
    folder = tmp_path_factory.mktemp("used")
    EmbeddedBroker(folder, heap_mb=256).start().stop()
    return folder


async def create(bootstrap: str, name: str, **security: object) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)], timeout_ms=20_000)
    finally:
        await admin.close()


async def send(bootstrap: str, name: str, value: bytes, **security: object) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", **security) as producer:
        await producer.send_and_wait(name, value)


async def read_all(bootstrap: str, name: str) -> list[bytes]:
    async with AIOKafkaConsumer(name, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        return [r.value for rs in (await consumer.getmany(timeout_ms=5000)).values() for r in rs]


async def test_a_record_comes_back_with_key_and_headers(kafka, topic):
    name = await topic(partitions=3)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        await producer.send_and_wait(name, b"value", key=b"key", headers=[("ce_id", b"1")])
    async with AIOKafkaConsumer(name, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
    assert (record.key, record.value, record.headers) == (b"key", b"value", (("ce_id", b"1"),))


async def test_acknowledged_records_survive_kill_9_and_a_clean_stop(tmp_path):
    with EmbeddedBroker(tmp_path, heap_mb=256) as broker:
        await create(broker.bootstrap, "kept")
        await send(broker.bootstrap, "kept", b"before kill -9")
        os.kill(broker.pid, signal.SIGKILL)
        while broker.poll() is None:
            await asyncio.sleep(0.01)
        with pytest.raises(StartError, match="was killed by signal 9"):
            broker.ready()
    with EmbeddedBroker(tmp_path, heap_mb=256) as broker:
        await send(broker.bootstrap, "kept", b"before a clean stop")
    with EmbeddedBroker(tmp_path, heap_mb=256) as broker:
        assert await read_all(broker.bootstrap, "kept") == [b"before kill -9", b"before a clean stop"]


def test_a_second_hub_on_the_same_folder_is_refused_and_the_first_goes_on(kafka):
    second = EmbeddedBroker(kafka.broker.folder)
    with pytest.raises(StartError, match=f"another hub \\(pid {os.getpid()}\\) runs its broker in"):
        second.start()
    assert kafka.broker.ready()


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} for the embedded broker cannot be had"):
            EmbeddedBroker(tmp_path, port).start()


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(broker_module, "MIN_FREE_BYTES", 2**60)
    with pytest.raises(StartError, match=r"the disk of .* is full: \d+ MiB free"):
        EmbeddedBroker(tmp_path).start()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"cannot use .*file/kafka for the embedded broker: Not a directory"):
        EmbeddedBroker(tmp_path / "file" / "kafka").start()


@pytest.mark.parametrize("damage", ["meta garbled", "meta gone", "log garbled", "hole in the log", "another node's"])
def test_a_damaged_log_folder_is_named(tmp_path, used, damage):
    shutil.copytree(used, tmp_path, dirs_exist_ok=True)
    data = tmp_path / "data"
    log = data / "__cluster_metadata-0" / "00000000000000000000.log"
    if damage == "meta garbled":
        (data / "meta.properties").write_bytes(b"\xff\xfe\x00rubbish")
    elif damage == "meta gone":
        (data / "meta.properties").unlink()
    elif damage == "log garbled":
        log.write_bytes(os.urandom(log.stat().st_size))
    elif damage == "hole in the log":
        content = bytearray(log.read_bytes())
        content[len(content) // 2] ^= 0xFF
        log.write_bytes(content)
    else:
        meta = data / "meta.properties"
        meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(StartError, match=r"folder .* is damaged"):
        EmbeddedBroker(tmp_path, heap_mb=256).start(timeout=90)


def test_an_unfinished_end_of_the_metadata_log_is_no_damage(tmp_path, used):
    shutil.copytree(used, tmp_path, dirs_exist_ok=True)
    log = tmp_path / "data" / "__cluster_metadata-0" / "00000000000000000000.log"
    log.write_bytes(log.read_bytes()[:-7])
    (tmp_path / "data" / ".kafka_cleanshutdown").unlink()
    EmbeddedBroker(tmp_path, heap_mb=256).start().stop()


def test_the_jvm_dies_with_a_killed_owner_and_frees_folder_and_port(tmp_path):
    port = ports.free_port()
    script = (
        "import sys, time; from pathlib import Path; from hub.broker.broker import EmbeddedBroker\n"
        "print(EmbeddedBroker(Path(sys.argv[1]), int(sys.argv[2]), 256).start().pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, tmp_path, str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        jvm = int(owner.stdout.readline())
    finally:
        owner.kill()
        owner.wait()
        if owner.stdout is not None:
            owner.stdout.close()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{jvm}").exists():
        assert time.monotonic() < deadline, "the JVM outlived its owner"
        time.sleep(0.02)
    with EmbeddedBroker(tmp_path, port, 256) as broker:
        assert broker.port == port


async def test_scram_and_default_deny(tmp_path):
    users = {"admin": "admin-secret", "agency-a": "a-secret"}

    def security(name: str, password: str) -> dict[str, object]:
        return {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": name,
            "sasl_plain_password": password,
        }

    with EmbeddedBroker(tmp_path, heap_mb=256, sasl_users=users) as broker:
        await create(broker.bootstrap, "closed", **security("admin", "admin-secret"))
        await send(broker.bootstrap, "closed", b"by the super user", **security("admin", "admin-secret"))
        with pytest.raises(TopicAuthorizationFailedError):
            await send(broker.bootstrap, "closed", b"no right", **security("agency-a", "a-secret"))
        assert (tmp_path / "server.properties").stat().st_mode & 0o077 == 0
    with EmbeddedBroker(tmp_path, heap_mb=256, sasl_users=users) as broker:  # and on a second start
        await send(broker.bootstrap, "closed", b"again", **security("admin", "admin-secret"))
