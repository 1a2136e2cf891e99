"""Unknown schema ids: one look each, and no good event is thrown away because nobody could be asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.config import RegistrySettings, Settings
from hub.errors import DecodeError, RegistryError
from hub.registry import schema_lookup as module
from hub.registry.schema_log import SchemaCopy, Version, schema_key, subject_key
from hub.registry.schema_lookup import AWAY_S, MERGE_S, NEGATIVE_S, Lookup

INT = Version("s", 1, 5, '"int"')


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Topic:
    """Stands for `_schemas`: what `read` will find."""

    def __init__(self) -> None:
        self.reads = 0
        self.versions: list[Version] = []
        self.away = False

    async def read(self, settings: Settings, copy: SchemaCopy, timeout: float) -> bool:
        self.reads += 1
        if self.away:
            raise RegistryError("no broker")
        for version in self.versions:
            copy.put(version)
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    topic = Topic()
    monkeypatch.setattr(module, "read", topic.read)
    return topic


@pytest.fixture
def lookup(clock: Clock, topic: Topic) -> Lookup:
    return Lookup(Settings(), SchemaCopy(), clock)


def _reason(lookup: Lookup, schema_id: int) -> str:
    with pytest.raises(DecodeError) as caught:
        lookup(schema_id)
    return caught.value.reason


# --- the embedded registry: the topic tells ------------------------------------------------------------------------


def test_a_known_id_costs_no_read(clock: Clock, topic: Topic) -> None:
    copy = SchemaCopy()
    copy.put(INT)
    assert Lookup(Settings(), copy, clock)(5) == "int"
    assert topic.reads == 0


def test_a_new_id_is_found_by_one_read(lookup: Lookup, topic: Topic) -> None:
    topic.versions = [INT]
    assert lookup(5) == "int"
    assert lookup(5) == "int"
    assert topic.reads == 1


def test_an_unknown_id_is_looked_for_once_in_a_while(lookup: Lookup, topic: Topic, clock: Clock) -> None:
    assert {_reason(lookup, 9) for _ in range(100)} == {"schema_id"}
    assert topic.reads == 1
    clock.now += NEGATIVE_S + 1
    topic.versions = [Version("s", 1, 9, '"long"')]
    assert lookup(9) == "long"


def test_a_flood_of_made_up_ids_costs_one_read_a_quarter_second(lookup: Lookup, topic: Topic, clock: Clock) -> None:
    for schema_id in range(100, 1_100):
        assert _reason(lookup, schema_id) == "schema_id"
        clock.now += 0.001
    assert topic.reads <= 1 + 1 / MERGE_S


def test_without_broker_the_id_may_exist(lookup: Lookup, topic: Topic) -> None:
    topic.away = True
    with pytest.raises(RegistryError):
        lookup(5)
    topic.away, topic.versions = False, [INT]
    assert lookup(5) == "int", "not remembered as absent"


# --- a registry by URL ---------------------------------------------------------------------------------------------


class External:
    """A registry of which the test says what it answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(500)
        client = httpx.Client

        def handle(request: httpx.Request) -> httpx.Response:
            self.calls.append(request.url.path)
            return self.answer(request)

        def make(**args: Any) -> httpx.Client:
            return client(**args, transport=httpx.MockTransport(handle))

        monkeypatch.setattr(httpx, "Client", make)


@pytest.fixture
def external(monkeypatch: pytest.MonkeyPatch) -> External:
    return External(monkeypatch)


@pytest.fixture
def asking(clock: Clock, topic: Topic, external: External) -> Lookup:
    return Lookup(Settings(registry=RegistrySettings(url="http://registry.example")), SchemaCopy(), clock)


def _refusal(status: int, code: int) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json={"error_code": code, "message": "no"})


def test_it_is_asked_once(asking: Lookup, external: External, topic: Topic) -> None:
    external.answer = lambda _: httpx.Response(200, json={"schema": '"int"'})
    assert asking(5) == "int"
    assert asking(5) == "int"
    assert external.calls == ["/schemas/ids/5"]
    assert topic.reads == 0


def test_its_404_is_final_for_a_while(asking: Lookup, external: External) -> None:
    external.answer = _refusal(404, 40403)
    assert {_reason(asking, 5) for _ in range(10)} == {"schema_id"}
    assert len(external.calls) == 1


@pytest.mark.parametrize("status", [502, 503])
def test_when_it_is_away_it_is_left_alone_for_a_while(
    asking: Lookup, external: External, clock: Clock, status: int
) -> None:
    external.answer = lambda _: httpx.Response(status, text="<html>Bad gateway</html>")
    for schema_id in (5, 6, 7):
        with pytest.raises(RegistryError):
            asking(schema_id)
    assert len(external.calls) == 1
    clock.now += AWAY_S + 1
    external.answer = lambda _: httpx.Response(200, json={"schema": '"int"'})
    assert asking(5) == "int"


def test_an_error_of_its_own_is_no_bad_record(asking: Lookup, external: External) -> None:
    external.answer = _refusal(500, 50001)
    with pytest.raises(RegistryError) as caught:
        asking(5)
    assert caught.value.code == 50001


def test_references_are_asked_for(asking: Lookup, external: External) -> None:
    inner = {"type": "record", "name": "I", "fields": []}
    reference = {"name": "I", "subject": "inner", "version": 1}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/schemas/ids/5":
            return httpx.Response(200, json={"schema": '{"type":"array","items":"I"}', "references": [reference]})
        return httpx.Response(200, json={"subject": "inner", "version": 1, "id": 4, "schema": json.dumps(inner)})

    external.answer = answer
    assert asking(5) == {"type": "array", "items": inner}
    assert external.calls == ["/schemas/ids/5", "/subjects/inner/versions/1"]


def test_what_is_no_avro_is_a_bad_record(asking: Lookup, external: External) -> None:
    external.answer = lambda _: httpx.Response(200, json={"schema": "message A {}", "schemaType": "PROTOBUF"})
    assert _reason(asking, 5) == "schema_id"


# --- the copy of the topic -----------------------------------------------------------------------------------------


def test_the_copy_follows_deletions_but_keeps_ids_readable() -> None:
    copy = SchemaCopy()
    value = {"subject": "s", "version": 1, "id": 5, "schema": '"int"', "deleted": False}
    copy.apply(schema_key("s", 1), json.dumps(value).encode())
    assert copy.ids_of({"s": {"type": "int"}}) == {"s": 5}
    copy.apply(subject_key("DELETE_SUBJECT", "s"), b'{"subject":"s","version":1}')
    assert copy.ids_of({"s": "int"}) == {}
    copy.apply(schema_key("s", 1), None)
    assert copy.versions == {}
    assert copy.by_id[5].schema == '"int"'


@pytest.mark.parametrize(
    ("key", "value"),
    [(None, None), (b"x", b"y"), (b"[]", b"{}"), (schema_key("s", 1), b"{}"), (b'{"keytype":"SCHEMA"}', None),
     (b'{"keytype":"NEW","magic":9}', b"{}"), (schema_key("s", 1), b"\xff")],
)  # fmt: skip
def test_the_copy_passes_over_what_it_cannot_read(key: bytes | None, value: bytes | None) -> None:
    copy = SchemaCopy()
    copy.apply(key, value)
    assert (copy.by_id, copy.versions) == ({}, {})


def test_a_damaged_cache_is_ignored(tmp_path: Path) -> None:
    from hub.registry.client import _cached, cache_file

    settings = Settings(data_dir=tmp_path)
    cache_file(settings).write_text('{"registry": "embedded', "utf-8")
    assert _cached(settings).by_id == {}
