"""Kinds that were renamed: the old name works for one version, wherever it comes in, and a warning says the new one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import pytest

from hub.admin import subscribers
from hub.admin.acts.subscribers import NewSubscriber
from hub.cli import subscribers as command
from hub.cli.main import main
from hub.config import Settings
from hub.control import renamed
from hub.control.audit import Actor
from hub.control.directory import Directory
from hub.control.records import Subscriber

OLD, NEW = "provincial-portal", "webhook"
WARNING = "the kind 'provincial-portal' is now called 'webhook'; the old name is read for one version more"
VALUES = {
    "name": "tinh", "kind": OLD, "settings": {"url": "https://127.0.0.1/x", "allow_loopback": True},
    "secrets": {"signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _a_new_process() -> Iterator[None]:
    """The warning comes once a process."""
    renamed._warn.cache_clear()
    yield
    renamed._warn.cache_clear()


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[Subscriber]:
    """What `add` would write, checked as it checks it; no broker."""
    out: list[Subscriber] = []

    async def add(settings: Settings, values: dict[str, Any], by: Actor) -> Subscriber:
        out.append(subscribers.checked(values, settings))
        return out[-1]

    monkeypatch.setattr(subscribers, "add", add)
    return out


def _read(value: bytes) -> Subscriber:
    copy = Directory(Settings())
    copy._apply("subscriber", "tinh", value)
    return copy.subscribers["tinh"]


def test_an_old_record_is_read_as_the_new_kind_and_written_so_at_its_next_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = _read(json.dumps(VALUES | {"created_at": "2026-11-01T00:00:00Z"}).encode())
    assert found.kind == NEW
    assert caplog.messages == [WARNING]
    paused = found.model_copy(update={"paused": True})  # as `hub subscribers pause` does
    assert json.loads(paused.model_dump_json())["kind"] == NEW


def test_the_warning_comes_once_however_often_the_record_is_read(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        _read(json.dumps(VALUES).encode())
    assert caplog.messages == [WARNING]


def test_the_new_name_is_read_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    assert _read(json.dumps(VALUES | {"kind": NEW}).encode()).kind == NEW
    assert caplog.messages == []


def test_the_old_kind_on_the_command_line(added: list[Subscriber], caplog: pytest.LogCaptureFixture) -> None:
    command.add(
        "tinh", OLD, given=["url=https://127.0.0.1/x", "allow_loopback=true"],
        secret=[f"signing={VALUES['secrets']['signing']}"], as_json=True,  # type: ignore[index]
    )  # fmt: skip
    assert [one.kind for one in added] == [NEW]
    assert caplog.messages == [WARNING]


async def test_the_old_kind_over_http(added: list[Subscriber], caplog: pytest.LogCaptureFixture) -> None:
    """The route gives the body's fields to `add`."""
    made = await subscribers.add(Settings(), NewSubscriber.model_validate(VALUES).given(), Actor("an"))
    assert subscribers.public(made, None)["kind"] == NEW
    assert caplog.messages == [WARNING]


def test_the_old_name_of_the_simulator(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", OLD, "--help"])
    assert ended.value.code == 0
    assert "usage: hub simulate webhook " in capsys.readouterr().out
    assert caplog.messages == [WARNING]


def test_each_new_name_is_installed_and_no_old_one_is() -> None:
    installed = {point.name for point in entry_points(group="hub.portals")}
    assert set(renamed.KINDS.values()) <= installed
    assert not set(renamed.KINDS) & installed
