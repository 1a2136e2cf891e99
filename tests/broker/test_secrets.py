"""Subscribers' secrets sealed in `hub.control`: written, rotated, migrated, the key lost and replaced."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.admin import secret_keys, subscribers
from hub.cli.secrets import app
from hub.config import SecretSettings, Settings
from hub.connect.portal import make_portal
from hub.control import key_ring
from hub.control.audit import Actor
from hub.control.records import Subscriber
from hub.control.vault import is_sealed, key_of, vault
from hub.errors import ConfigError
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import CONTROL
from hub.supervisor.environment import variables
from tests.support.topics import read_all

pytestmark = pytest.mark.broker
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@pytest.fixture
async def settings(hub_settings: Settings, tmp_path: Path) -> Settings:
    """Other subscribers of the same broker were sealed elsewhere: they are taken away first."""
    settings = hub_settings.model_copy(update={"data_dir": tmp_path / "var", "secrets": SecretSettings()})
    await ensure_topics(settings)
    for one in {row.subscriber for row in await secret_keys.standing(settings)}:
        await subscribers.remove(settings, one, Actor("test"))
    return settings


def wanted(name: str) -> dict[str, Any]:
    own = {"url": "http://127.0.0.1:9/hook", "allow_loopback": True, "timeout_s": 0.5}
    return {"name": name, "kind": "webhook", "settings": own, "secrets": {"signing": SECRET}}


def fresh() -> str:
    return f"s-{uuid.uuid4().hex[:8]}"


async def in_clear(settings: Settings, name: str, secrets: dict[str, str]) -> None:
    """As an older version wrote it."""
    record = Subscriber(**wanted(name) | {"secrets": secrets}).model_dump_json().encode()
    producer = clients.producer(settings)
    await producer.start()
    await clients.send_all(producer, [(CONTROL, f"subscriber/{name}".encode(), record, ())])
    await producer.stop()


async def last(settings: Settings, name: str) -> dict[str, str]:
    key = f"subscriber/{name}".encode()
    values = [one.value async for one in read_all(settings.bootstrap, CONTROL) if one.key == key]
    found: dict[str, str] = json.loads(values[-1])["secrets"]
    return found


async def usable(settings: Settings, name: str) -> None:
    make_portal(await subscribers.get(settings, name), vault(settings))


async def test_no_secret_stands_in_clear_in_the_topic(settings: Settings) -> None:
    name = fresh()
    await subscribers.add(settings, wanted(name), Actor("an"))
    value, _ = await subscribers.rotate_secret(settings, name, Actor("an"), value=OTHER)
    assert value == OTHER
    raw = b"".join([one.value or b"" async for one in read_all(settings.bootstrap, CONTROL)])
    for secret in (SECRET, OTHER):
        assert secret.removeprefix("whsec_").encode() not in raw
    stands = await last(settings, name)
    assert len(stands) == 2
    assert all(map(is_sealed, stands.values()))
    await usable(settings, name)


async def test_what_stands_in_clear_is_used_and_sealed_by_one_command(settings: Settings) -> None:
    one, two = fresh(), fresh()
    await in_clear(settings, one, {"signing": SECRET})
    await in_clear(settings, two, {"signing": "file:portal"})
    (settings.data_dir / "secrets").mkdir(parents=True)
    (settings.data_dir / "secrets" / "portal").write_text(SECRET)
    await usable(settings, one)
    await usable(settings, two)
    assert await secret_keys.init(settings, Actor("an")) == [one]
    assert await secret_keys.init(settings, Actor("an")) == []
    assert is_sealed((await last(settings, one))["signing"])
    assert await last(settings, two) == {"signing": "file:portal"}
    await usable(settings, one)


async def test_the_key_is_rotated_and_the_old_one_dropped_only_when_nothing_needs_it(settings: Settings) -> None:
    name, late = fresh(), fresh()
    await subscribers.add(settings, wanted(name), Actor("an"))
    stale = await last(settings, name)
    new, sealed = await secret_keys.rotate(settings, Actor("an"))
    assert sealed == [name]
    assert key_of((await last(settings, name))["signing"]) == new
    # A record written by a machine that had only the old key.
    await in_clear(settings, late, {"signing": "x"})
    await in_clear(settings, name, stale)
    with pytest.raises(ConfigError, match="still needed"):
        await secret_keys.drop_old(settings)
    assert await secret_keys.seal(settings, Actor("an")) == sorted([name, late])
    assert await secret_keys.drop_old(settings) == (key_of(stale["signing"]),)
    await usable(settings, name)


async def test_a_lost_key_is_told_and_replaced_by_new_secrets(settings: Settings) -> None:
    """The drill of docs/secrets.md."""
    name = fresh()
    await subscribers.add(settings, wanted(name), Actor("an"))
    vault(settings).key_file.unlink()
    with pytest.raises(ConfigError, match=f"rotate-secret {name}"):
        await usable(settings, name)
    with pytest.raises(ConfigError, match="bring that file"):
        await secret_keys.init(settings, Actor("an"))
    key_ring.create(vault(settings).key_file)
    await subscribers.rotate_secret(settings, name, Actor("an", why="key lost"), value=OTHER)
    await usable(settings, name)
    assert [one.how for one in await secret_keys.standing(settings) if one.opens] == ["sealed"]


async def test_two_machines_never_seal_with_two_keys(settings: Settings, tmp_path: Path) -> None:
    name, other = fresh(), fresh()
    await subscribers.add(settings, wanted(name), Actor("an"))
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    with pytest.raises(ConfigError, match="there is no key"):
        await subscribers.add(elsewhere, wanted(other), Actor("an"))
    assert not vault(elsewhere).key_file.exists()


async def test_a_rotation_killed_anywhere_is_finished_by_the_next(settings: Settings) -> None:
    names = [fresh() for _ in range(6)]
    for name in names:
        await subscribers.add(settings, wanted(name), Actor("an"))
    for after in range(0, 7, 2):
        script = (
            "import asyncio, os, signal\n"
            "from hub.admin import secret_keys\n"
            "from hub.config import load\n"
            "from hub.control.audit import Actor\n"
            "plain, left = secret_keys.change, [int(os.environ['AFTER'])]\n"
            "async def change(*args, **more):\n"
            "    if not left[0]:\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "    left[0] -= 1\n"
            "    return await plain(*args, **more)\n"
            "secret_keys.change = change\n"
            "asyncio.run(secret_keys.rotate(load(), Actor('an')))\n"
        )
        environment = variables(settings) | {"AFTER": str(after)}
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, env=environment)
        assert await asyncio.wait_for(process.wait(), 60) == (-signal.SIGKILL if after < len(names) else 0)
        for name in names:
            await usable(settings, name)
    await secret_keys.seal(settings, Actor("an"))
    await secret_keys.drop_old(settings)
    assert {one.key for one in await secret_keys.standing(settings)} == {vault(settings).keys()[0].id}
    for name in names:
        await usable(settings, name)


async def test_the_commands_show_no_value(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    name = fresh()
    await in_clear(settings, name, {"signing": SECRET})
    for variable, value in variables(settings).items():
        if variable.startswith("HUB_"):
            monkeypatch.setenv(variable, value)
    run = CliRunner().invoke

    def told(*words: str) -> tuple[int, str]:
        import threading

        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(run(app, list(words))))
        thread.start()
        thread.join()
        return found[0].exit_code, found[0].output

    code, text = told("status")
    assert (code, name in text, "clear" in text, SECRET in text) == (1, True, True, False)
    assert told("init", "--json") == (0, json.dumps({"sealed": [name]}, indent=2) + "\n")
    code, text = told("status", "--json")
    assert (code, [row["how"] for row in json.loads(text)], SECRET in text) == (0, ["sealed"], False)
    code, text = told("rotate-key")
    assert code == 0
    assert "copy the key file" in text
    assert told("drop-old-keys")[0] == 0
    assert os.stat(vault(settings).key_file).st_mode & 0o077 == 0


async def test_a_caller_over_http_names_nothing_that_the_hub_reads_here(settings: Settings) -> None:
    """Whoever holds the operators' token would have a file sent to wherever he likes. At the terminal it is taken."""
    (settings.data_dir / "secrets").mkdir(parents=True)
    (settings.data_dir / "secrets" / "portal").write_text(SECRET)
    name, afar = fresh(), Actor("admin-token", remote=True)
    for reference in ("file:portal", "env:HUB_SECRET_PORTAL", "file:/etc/passwd"):
        with pytest.raises(ConfigError, match="at the command line only"):
            await subscribers.add(settings, wanted(name) | {"secrets": {"signing": reference}}, afar)
    await subscribers.add(settings, wanted(name) | {"secrets": {"signing": "file:portal"}}, Actor("an"))
    with pytest.raises(ConfigError, match="at the command line only"):
        await subscribers.rotate_secret(settings, name, afar, value="file:portal")
    assert await last(settings, name) == {"signing": "file:portal"}
