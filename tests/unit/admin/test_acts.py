"""The table of acts: each is reachable by command and by HTTP, needs its right, and no door has a rule of its own."""

from __future__ import annotations

import ast
import asyncio
import importlib
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from pydantic import SecretStr

from hub.admin.acts import table
from hub.admin.acts.act import Forbidden, Right
from hub.admin.acts.journal import ActRecord
from hub.cli import calls
from hub.cli.main import COMMANDS
from hub.config import GatewaySettings, Settings
from hub.control.audit import Actor, Target
from hub.errors import ConfigError
from hub.gateway.app import build
from hub.gateway.ingest import Ingest
from hub.ingress.acknowledged import Acknowledged
from tests.support.codecs import fixed_codec
from tests.support.gateway_app import Broker

ROOT = Path(__file__).parents[3]
BY = Actor("lan")

CALLED = {
    "dead-letters.list": ["list"],
    "dead-letters.counts": ["list", "--counts"],
    "dead-letters.show": ["show", "x"],
    "dead-letters.reveal": ["show", "x", "--reveal"],
    "dead-letters.replay": ["replay", "x", "--yes"],
    "dead-letters.skip": ["skip", "x", "--yes"],
    "subscriber.list": ["list"],
    "subscriber.add": ["add", "x", "--kind", "webhook"],
    "subscriber.show": ["show", "x"],
    "subscriber.change": ["change", "x", "--title", "y"],
    "subscriber.pause": ["pause", "x"],
    "subscriber.resume": ["resume", "x"],
    "subscriber.rotate-secret": ["rotate-secret", "x"],
    "subscriber.test": ["test", "x"],
    "subscriber.waiting": ["waiting", "x"],
    "subscriber.kafka-user": ["kafka-user", "x"],
    "subscriber.resend": ["resend", "x", "--since", "1h"],
    "subscriber.remove": ["remove", "x"],
    "question.list": ["list", "x"],
    "question.answer": ["answer", "x", "q", "--by", "An", "--text-file", __file__],
    "organisation.list": ["list"],
    "organisation.add": ["add", "x"],
    "organisation.show": ["show", "x"],
    "organisation.change": ["change", "x", "--title", "y"],
    "organisation.rotate-key": ["rotate-key", "x"],
    "organisation.kafka-user": ["kafka-user", "x"],
    "organisation.remove": ["remove", "x"],
    "status": [],
    "trace": ["x"],
    "audit.list": ["list"],
    "rebuild": [],
    "act.list": ["list"],
    "act.show": ["show", "x"],
    "act.cancel": ["cancel", "x"],
    "act.resume": ["resume", "x"],
}
"""Act -> words of a call, behind the command's name. Those of the table must be these, no more and no fewer."""

BODIES: dict[str, dict[str, Any]] = {
    "dead-letters.replay": {"all": True},
    "dead-letters.skip": {"ids": ["x"]},
    "subscriber.add": {"name": "x", "kind": "webhook"},
    "subscriber.change": {"title": "y"},
    "question.answer": {"text": "Rồi", "by": "An"},
    "subscriber.resend": {"since": "1h"},
    "organisation.add": {"name": "x"},
    "organisation.change": {"title": "y"},
}


def test_every_act_of_the_table_is_called_here() -> None:
    assert set(CALLED) == set(table.ACTS)
    places = [(act.http.method, act.http.path) for act in table.ACTS.values()]
    assert len(places) == len(set(places))


class Called(Exception):
    """Ends a command where it has called its act."""


@pytest.mark.parametrize("name", CALLED)
def test_its_command_calls_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    def stop(act: str, values: dict[str, Any], *_: Any, **more: Any) -> None:
        called.append(act)
        if not more.get("resume"):
            table.ACTS[act].read(calls.given(values))  # the command's words are the act's
        raise Called

    monkeypatch.setattr(calls, "call", stop)
    monkeypatch.setattr(calls, "long", stop)
    monkeypatch.setattr(calls, "preview", lambda *_: {"sent": [{"count": 1}], "refused_count": 0})
    app: typer.Typer = importlib.import_module(COMMANDS[table.ACTS[name].cli[0]][0]).app
    with pytest.raises(Called):
        typer.main.get_command(app).main([*CALLED[name]], standalone_mode=False)
    assert called == [name]
    group = typer.main.get_command(app)
    if len(table.ACTS[name].cli) == 2:
        assert table.ACTS[name].cli[1] in group.commands  # type: ignore[attr-defined]


def asked(method: str, path: str, token: str = "t0p", json: Any = None) -> httpx.Response:
    settings = Settings(gateway=GatewaySettings(admin_token=SecretStr("t0p")))
    broker = Broker()
    app = build(settings, lambda *_: None, Ingest(fixed_codec(), broker, Acknowledged(8)), broker)

    async def ask() -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", "x-operator": "lan"}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as http:
            return await http.request(method, path, json=json)

    return asyncio.run(ask())


@pytest.mark.parametrize("name", CALLED)
def test_its_address_calls_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, str]] = []

    async def perform(settings: Settings, act: str, values: dict[str, Any], by: Actor) -> Any:
        table.ACTS[act].read(values)
        called.append((act, by.who))
        return {"answer": act}

    async def begin(settings: Settings, act: str, values: dict[str, Any], by: Actor, door: str) -> ActRecord:
        await perform(settings, act, values, by)
        return ActRecord(id="a-1", act=act, input={}, entry=by.entry(act, Target(kind="x")))

    monkeypatch.setattr(table, "perform", perform)
    monkeypatch.setattr(table, "begin", begin)
    act = table.ACTS[name]
    path = act.http.path.replace("{name}", "x").replace("{id}", "x").replace("{code}", "x").replace("{question}", "q")
    answer = asked(act.http.method, path, json=BODIES.get(name))
    assert (called, answer.status_code) == ([(name, "lan")], act.http.status)
    if act.long:
        assert answer.headers["location"] == "/v1/acts/a-1"
    without = asked(act.http.method, path, "x", BODIES.get(name))
    assert (without.status_code, len(called)) == (401, 1)


def test_openapi_tells_of_each() -> None:
    paths = asked("GET", "/openapi.json").json()["paths"]
    for act in table.ACTS.values():
        operation = paths[act.http.path][act.http.method.lower()]
        assert operation["summary"] == act.says
        assert str(act.http.status) in operation["responses"]
        assert {"Bearer": []} in operation["security"]


@pytest.mark.parametrize("name", [name for name, act in table.ACTS.items() if act.right is Right.SEE])
def test_who_has_no_right_may_not_even_look(name: str) -> None:
    values = {"question": "q", "id": "x", "name": "x", "code": "x"}
    given = {field: values[field] for field in table.ACTS[name].input.model_fields if field in values}
    with pytest.raises(Forbidden, match="right 'see'"):
        asyncio.run(table.perform(Settings(), name, given, Actor("an", role="nobody")))


def test_what_changes_something_needs_more_than_to_look() -> None:
    for act in table.ACTS.values():
        assert (act.http.method == "GET") == (act.right is Right.SEE)
        assert (act.job is None) != (act.run is None)


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("dead-letters.replay", {}, "filter"),
        ("dead-letters.replay", {"stage": "kernel"}, "stage"),
        ("dead-letters.list", {"since": "yesterday"}, "since"),
        ("dead-letters.replay", {"all": True, "rate": 0}, "rate"),
        ("subscriber.resend", {"name": "x"}, "since"),
        ("subscriber.pause", {"name": "x", "until": "noon"}, "until"),
        ("organisation.rotate-key", {"name": "x", "overlap_hours": -1}, "overlap_hours"),
    ],
)
def test_a_wrong_input_names_its_field(name: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as found:
        table.ACTS[name].read(values)
    assert found.value.field == field


def test_an_input_that_was_written_down_is_read_back() -> None:
    act = table.ACTS["dead-letters.replay"]
    given = act.read({"stage": "core", "since": "2026-11-24", "ids": ["a", "b"], "rate": 50})
    assert act.read(given.model_dump(mode="json")) == given
    assert given.since == 1_795_478_400_000


NO_DOOR = {"hub.control.changes", "hub.control.claim", "hub.kafka.clients", "aiokafka"}
DATA = {"gateway/role.py", "gateway/sender.py", "gateway/app.py"}
"""Of the gateway what takes events in; app.py names an error."""


@pytest.mark.parametrize("folder", ["cli", "gateway"])
def test_no_door_writes_to_kafka(folder: str) -> None:
    for path in (ROOT / "hub" / folder).glob("*.py"):
        if f"{folder}/{path.name}" in DATA:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            named = {alias.name for alias in node.names} if isinstance(node, (ast.Import, ast.ImportFrom)) else set()
            assert module not in NO_DOOR, f"{path}: {module}"
            assert not (module == "hub.control.audit" and named & {"acting", "record"}), path
            assert not (module == "hub.control.directory" and "write" in named), path


def test_the_page_has_the_same_table() -> None:
    lines = (ROOT / "docs" / "acts.md").read_text("utf-8").splitlines()
    for act in table.ACTS.values():
        words = (f"`{act.name}`", act.right.value, f"`{' '.join(act.cli)}`", f"`{act.http.method} {act.http.path}`",
                 "yes" if act.long else "", "yes" if act.preview else "")  # fmt: skip
        assert "| " + " | ".join(words).rstrip() in [line.removesuffix(" |").rstrip() for line in lines], act.name
    assert sum(line.startswith("| `") for line in lines[: lines.index("## Over HTTP")]) == len(table.ACTS)
