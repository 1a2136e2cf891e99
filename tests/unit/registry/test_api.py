"""The REST face against golden answers, written by hand from Confluent's "Schema Registry API Reference".

What is compared: HTTP status, content type, error_code and body. The topic is a list in memory here; the same role
against a real broker is in tests/broker/test_registry_role.py.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from hub.config import RegistrySettings, Settings
from hub.registry.server.api import app
from hub.registry.server.errors import ApiError
from hub.registry.server.service import Registry
from hub.registry.server.users import Users, users
from tests.support.memory_log import MemoryLog

TYPE = "application/vnd.schemaregistry.v1+json"
USER = '{"type":"record","name":"User","fields":[{"name":"name","type":"string"}]}'
USER_2 = USER.replace("]}", ',{"name":"age","type":"int","default":0}]}')
USER_BAD = USER.replace("]}", ',{"name":"age","type":"int"}]}')


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
async def client(log: MemoryLog) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(Registry(log), Users({"operator": "pw"}, {"operator": "all"}, True)))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://registry", headers={"Accept": TYPE}, auth=("operator", "pw")
    ) as c:
        yield c


async def call(client: httpx.AsyncClient, line: str, body: Any = None, status: int = 200) -> Any:
    """`line` is `METHOD path`; asserts status and content type, returns the parsed body."""
    method, _, path = line.partition(" ")
    content = None if body is None else json.dumps(body)
    response = await client.request(method, path, content=content, headers={"Content-Type": TYPE})
    assert response.headers["content-type"] == TYPE, response.text
    assert response.status_code == status, response.text
    return response.json()


async def refused(client: httpx.AsyncClient, line: str, body: Any, status: int, code: int, message: str = "") -> None:
    answer = await call(client, line, body, status)
    assert set(answer) == {"error_code", "message"}
    assert answer["error_code"] == code
    assert message in answer["message"]


async def register(client: httpx.AsyncClient, subject: str, schema: str, **extra: Any) -> int:
    answer = await call(client, f"POST /subjects/{subject}/versions", {"schema": schema, **extra})
    assert set(answer) == {"id"}
    return int(answer["id"])


# --- register and read ---------------------------------------------------------------------------------------------


async def test_an_empty_registry(client: httpx.AsyncClient) -> None:
    assert await call(client, "GET /") == {}
    assert await call(client, "GET /subjects") == []
    assert await call(client, "GET /schemas/types") == ["AVRO"]
    assert await call(client, "GET /config") == {"compatibilityLevel": "BACKWARD"}
    assert await call(client, "GET /mode") == {"mode": "READWRITE"}
    await refused(client, "GET /subjects/test/versions", None, 404, 40401, "Subject 'test' not found.")
    await refused(client, "GET /subjects/test/versions/1", None, 404, 40401)
    await refused(client, "GET /schemas/ids/1", None, 404, 40403, "Schema 1 not found")


async def test_register_and_read_back(client: httpx.AsyncClient) -> None:
    assert await register(client, "test", '{"type": "string"}') == 1
    assert await call(client, "GET /schemas/ids/1") == {"schema": '"string"'}
    assert await call(client, "GET /schemas/ids/1/schema") == "string"
    assert await call(client, "GET /subjects") == ["test"]
    assert await call(client, "GET /subjects/test/versions") == [1]
    shown = {"subject": "test", "id": 1, "version": 1, "schema": '"string"'}
    assert await call(client, "GET /subjects/test/versions/1") == shown
    assert await call(client, "GET /subjects/test/versions/latest") == shown
    assert await call(client, "GET /subjects/test/versions/latest/schema") == "string"
    assert await call(client, "GET /schemas/ids/1/versions") == [{"subject": "test", "version": 1}]
    assert await call(client, "GET /schemas/ids/1/subjects") == ["test"]
    assert await call(client, "GET /schemas") == [shown]


async def test_the_same_schema_has_one_id(client: httpx.AsyncClient) -> None:
    first = await register(client, "a", USER)
    assert await register(client, "a", json.dumps(json.loads(USER), indent=2)) == first
    assert await register(client, "b", USER) == first
    assert await call(client, "GET /subjects/a/versions") == [1]
    assert await call(client, f"GET /schemas/ids/{first}/versions") == [
        {"subject": "a", "version": 1},
        {"subject": "b", "version": 1},
    ]
    assert await register(client, "b", USER_2) == first + 1


async def test_look_up_a_schema_under_a_subject(client: httpx.AsyncClient) -> None:
    await register(client, "test", USER)
    assert await call(client, "POST /subjects/test", {"schema": USER}) == {
        "subject": "test", "id": 1, "version": 1, "schema": USER,
    }  # fmt: skip
    await refused(client, "POST /subjects/test", {"schema": USER_2}, 404, 40403, "Schema not found")
    await refused(client, "POST /subjects/none", {"schema": USER}, 404, 40401, "Subject 'none' not found.")


async def test_refusals_of_a_registration(client: httpx.AsyncClient) -> None:
    path = "POST /subjects/test/versions"
    await refused(client, path, {"schema": '{"type":"strin"}'}, 422, 42201, "strin")
    await refused(client, path, {"schema": ""}, 422, 42201, "Empty schema")
    await refused(client, path, {}, 422, 42201, "Empty schema")
    await refused(client, path, {"schema": USER, "schemaType": "PROTOBUF"}, 422, 42201, "PROTOBUF")
    await refused(client, path, {"schema": USER, "id": 7}, 422, 42205, "not in import mode")
    await register(client, "test", USER)
    await refused(client, path, {"schema": USER_BAD}, 409, 409, "User.age: has no default")
    assert await call(client, "GET /subjects/test/versions") == [1]


async def test_versions_that_are_none(client: httpx.AsyncClient) -> None:
    await register(client, "test", USER)
    for bad in ("0", "abc", "2147483648", "-2", "1.0"):
        await refused(client, f"GET /subjects/test/versions/{bad}", None, 422, 42202, f"'{bad}' is not a valid version")
    await refused(client, "GET /subjects/test/versions/9", None, 404, 40402, "Version 9 not found.")


async def test_http_itself(client: httpx.AsyncClient) -> None:
    await refused(client, "GET /nowhere", None, 404, 404)
    await refused(client, "PUT /subjects", {}, 405, 405)
    response = await client.post("/subjects/t/versions", content="{", headers={"Content-Type": TYPE})
    assert (response.status_code, response.json()["error_code"]) == (400, 400)
    response = await client.post("/subjects/t/versions", content="[]", headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()["error_code"]) == (415, 415)
    response = await client.get("/subjects", headers={"Accept": "text/html"})
    assert (response.status_code, response.json()["error_code"]) == (406, 406)
    assert (await client.head("/subjects")).status_code == 200
    for accepted in ("application/json", "application/vnd.schemaregistry+json; q=0.9, */*; q=0.1"):
        assert (await client.get("/subjects", headers={"Accept": accepted})).status_code == 200


async def test_a_subject_may_hold_a_slash(client: httpx.AsyncClient) -> None:
    await register(client, "a%2Fb", USER)
    assert await call(client, "GET /subjects") == ["a/b"]
    assert (await call(client, "GET /subjects/a%2Fb/versions/1"))["subject"] == "a/b"


# --- references ----------------------------------------------------------------------------------------------------


async def test_references(client: httpx.AsyncClient) -> None:
    await register(client, "user", USER)
    order = '{"type":"record","name":"Order","fields":[{"name":"by","type":"User"}]}'
    reference = {"name": "User", "subject": "user", "version": 1}
    await refused(client, "POST /subjects/order/versions", {"schema": order}, 422, 42201, "undefined name 'User'")
    missing = {"schema": order, "references": [reference | {"version": 4}]}
    await refused(client, "POST /subjects/order/versions", missing, 422, 42201, "no schema reference found")

    schema_id = await register(client, "order", order, references=[reference])

    assert await call(client, f"GET /schemas/ids/{schema_id}") == {"schema": order, "references": [reference]}
    assert await call(client, "GET /subjects/user/versions/1/referencedby") == [schema_id]
    await refused(client, "DELETE /subjects/user", None, 422, 42206, "One or more references exist to the schema")
    await refused(client, "DELETE /subjects/user/versions/1", None, 422, 42206)
    assert await call(client, "DELETE /subjects/order") == [1]
    assert await call(client, "DELETE /subjects/user") == [1]


# --- compatibility -------------------------------------------------------------------------------------------------


async def test_compatibility_checks(client: httpx.AsyncClient) -> None:
    await register(client, "test", USER)
    for path in ("POST /compatibility/subjects/test/versions", "POST /compatibility/subjects/test/versions/latest"):
        assert await call(client, path, {"schema": USER_2}) == {"is_compatible": True}
        assert await call(client, path, {"schema": USER_BAD}) == {"is_compatible": False}
        assert await call(client, f"{path}?verbose=true", {"schema": USER_2}) == {"is_compatible": True, "messages": []}
        verbose = await call(client, f"{path}?verbose=true", {"schema": USER_BAD})
        assert verbose["is_compatible"] is False
        assert "User.age: has no default" in verbose["messages"][0]
    await refused(client, "POST /compatibility/subjects/test/versions/9", {"schema": USER}, 404, 40402)
    await refused(client, "POST /compatibility/subjects/test/versions/x", {"schema": USER}, 422, 42202)
    await refused(client, "POST /compatibility/subjects/test/versions", {"schema": "{"}, 422, 42201)
    invalid = await call(client, "POST /compatibility/subjects/test/versions?verbose=true", {"schema": "{"})
    assert (invalid["is_compatible"], len(invalid["messages"])) == (False, 1)
    assert await call(client, "POST /compatibility/subjects/new/versions/latest", {"schema": USER}) == {
        "is_compatible": True
    }


async def test_the_subject_s_level_decides(client: httpx.AsyncClient) -> None:
    await register(client, "test", USER_2)
    without = {"schema": USER_BAD}  # age without default: only backward breaks if it were new; it is not
    assert (await call(client, "POST /compatibility/subjects/test/versions/1", without))["is_compatible"] is True
    await call(client, "PUT /config/test", {"compatibility": "FORWARD"})
    renamed = {"schema": USER.replace('"name","type":"string"', '"title","type":"string"')}
    assert (await call(client, "POST /compatibility/subjects/test/versions/1", renamed))["is_compatible"] is False
    await call(client, "PUT /config/test", {"compatibility": "NONE"})
    assert (await call(client, "POST /compatibility/subjects/test/versions/1", renamed))["is_compatible"] is True


# --- config and mode -----------------------------------------------------------------------------------------------


async def test_config(client: httpx.AsyncClient) -> None:
    assert await call(client, "PUT /config", {"compatibility": "FULL"}) == {"compatibility": "FULL"}
    assert await call(client, "GET /config") == {"compatibilityLevel": "FULL"}
    message = "Subject 'test' does not have subject-level compatibility configured"
    await refused(client, "GET /config/test", None, 404, 40408, message)
    assert await call(client, "GET /config/test?defaultToGlobal=true") == {"compatibilityLevel": "FULL"}
    assert await call(client, "PUT /config/test", {"compatibility": "none"}) == {"compatibility": "NONE"}
    assert await call(client, "GET /config/test") == {"compatibilityLevel": "NONE"}
    await refused(client, "PUT /config/test", {"compatibility": "SIDEWAYS"}, 422, 42203, "Invalid compatibility level")
    assert await call(client, "DELETE /config/test") == {"compatibilityLevel": "NONE"}
    await refused(client, "DELETE /config/test", None, 404, 40401)
    assert await call(client, "DELETE /config") == {"compatibilityLevel": "FULL"}
    assert await call(client, "GET /config") == {"compatibilityLevel": "BACKWARD"}


@pytest.mark.parametrize(
    "level", ["NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"]
)
async def test_each_level_can_be_set(client: httpx.AsyncClient, level: str) -> None:
    assert await call(client, "PUT /config/test", {"compatibility": level}) == {"compatibility": level}


async def test_modes(client: httpx.AsyncClient) -> None:
    await refused(client, "GET /mode/test", None, 404, 40409)
    await refused(client, "PUT /mode", {"mode": "SOMETIMES"}, 422, 42204, "Invalid mode")
    assert await call(client, "PUT /mode/test", {"mode": "READONLY"}) == {"mode": "READONLY"}
    await refused(client, "POST /subjects/test/versions", {"schema": USER}, 422, 42205, "read-only mode")
    assert await call(client, "DELETE /mode/test") == {"mode": "READONLY"}
    await register(client, "test", USER)
    await refused(client, "PUT /mode", {"mode": "IMPORT"}, 422, 42205, "Cannot import since found existing subjects")
    assert await call(client, "PUT /mode?force=true", {"mode": "IMPORT"}) == {"mode": "IMPORT"}
    assert await register(client, "test", USER_BAD, id=40, version=9) == 40
    await refused(client, "POST /subjects/t/versions", {"schema": USER_2, "id": 40}, 422, 42205, "Overwrite new schema")
    assert await call(client, "PUT /mode", {"mode": "READWRITE"}) == {"mode": "READWRITE"}
    assert await call(client, "GET /subjects/test/versions") == [1, 9]
    assert await register(client, "other", '"int"') == 41


# --- deletion ------------------------------------------------------------------------------------------------------


async def test_soft_and_hard_deletion_of_a_subject(client: httpx.AsyncClient) -> None:
    await register(client, "test", USER)
    await register(client, "test", USER_2)
    await refused(client, "DELETE /subjects/none", None, 404, 40401)
    await refused(client, "DELETE /subjects/test?permanent=true", None, 404, 40405, "was not deleted first")
    assert await call(client, "DELETE /subjects/test") == [1, 2]
    await refused(client, "DELETE /subjects/test", None, 404, 40404, "was soft deleted")
    assert await call(client, "GET /subjects") == []
    assert await call(client, "GET /subjects?deleted=true") == ["test"]
    assert await call(client, "GET /subjects?deletedOnly=true") == ["test"]
    assert await call(client, "GET /schemas/ids/1") == {"schema": USER}, "old data stays readable"
    await refused(client, "GET /subjects/test/versions/1", None, 404, 40401)
    assert (await call(client, "GET /subjects/test/versions/1?deleted=true"))["id"] == 1
    assert await register(client, "test", USER) == 1
    assert await call(client, "GET /subjects/test/versions") == [3]
    assert await call(client, "GET /subjects/test/versions?deletedOnly=true") == [1, 2]
    assert await call(client, "DELETE /subjects/test") == [3]
    assert await call(client, "DELETE /subjects/test?permanent=true") == [1, 2, 3]
    assert await call(client, "GET /subjects?deleted=true") == []
    await refused(client, "GET /schemas/ids/1", None, 404, 40403)
    assert await register(client, "fresh", '"int"') == 3, "an id is never given out twice"


async def test_soft_and_hard_deletion_of_a_version(client: httpx.AsyncClient) -> None:
    await register(client, "test", USER)
    await register(client, "test", USER_2)
    await refused(client, "DELETE /subjects/test/versions/1?permanent=true", None, 404, 40407)
    assert await call(client, "DELETE /subjects/test/versions/1") == 1
    await refused(client, "DELETE /subjects/test/versions/1", None, 404, 40406)
    assert await call(client, "GET /subjects/test/versions") == [2]
    assert await call(client, "DELETE /subjects/test/versions/1?permanent=true") == 1
    await refused(client, "DELETE /subjects/test/versions/1", None, 404, 40402)
    assert await call(client, "DELETE /subjects/test/versions/latest") == 2


# --- the topic's records -------------------------------------------------------------------------------------------


async def test_records_are_in_the_public_format(client: httpx.AsyncClient, log: MemoryLog) -> None:
    await register(client, "t", '"int"')
    await call(client, "PUT /config", {"compatibility": "FULL"})
    await call(client, "PUT /config/t", {"compatibility": "NONE"})
    await call(client, "PUT /mode/t", {"mode": "READONLY"})
    await call(client, "DELETE /mode/t")
    await call(client, "DELETE /subjects/t/versions/1")
    await call(client, "DELETE /subjects/t/versions/1?permanent=true")
    await register(client, "t", '"long"')
    await call(client, "DELETE /subjects/t")
    key = b'{"keytype":"SCHEMA","subject":"t","version":1,"magic":1}'
    assert log.records == [
        (key, b'{"subject":"t","version":1,"id":1,"schema":"\\"int\\"","deleted":false}'),
        (b'{"keytype":"CONFIG","magic":0}', b'{"compatibilityLevel":"FULL"}'),
        (b'{"keytype":"CONFIG","subject":"t","magic":0}', b'{"subject":"t","compatibilityLevel":"NONE"}'),
        (b'{"keytype":"MODE","subject":"t","magic":0}', b'{"subject":"t","mode":"READONLY"}'),
        (b'{"keytype":"MODE","subject":"t","magic":0}', None),
        (key, b'{"subject":"t","version":1,"id":1,"schema":"\\"int\\"","deleted":true}'),
        (key, None),
        (key, b'{"subject":"t","version":1,"id":2,"schema":"\\"long\\"","deleted":false}'),
        (b'{"keytype":"DELETE_SUBJECT","subject":"t","magic":0}', b'{"subject":"t","version":1}'),
    ]


async def test_nothing_is_answered_before_it_is_written(client: httpx.AsyncClient, log: MemoryLog) -> None:
    log.refuse = ApiError(500, 50001, "Register schema operation failed while writing to the Kafka store")
    await refused(client, "POST /subjects/t/versions", {"schema": USER}, 500, 50001)
    log.refuse = None
    assert await call(client, "GET /subjects") == []
    assert await register(client, "t", USER) == 1


async def test_an_unclear_write_that_came_through_is_seen_before_the_next_decision(
    client: httpx.AsyncClient, log: MemoryLog
) -> None:
    log.late = [
        (b'{"keytype":"SCHEMA","subject":"t","version":1,"magic":1}',
         b'{"subject":"t","version":1,"id":1,"schema":"\\"int\\"","deleted":false}'),
    ]  # fmt: skip
    assert await register(client, "other", '"string"') == 2


async def test_a_password_is_asked_for_when_set(log: MemoryLog) -> None:
    settings = Settings(registry=RegistrySettings(username="hub", password=SecretStr("secret")))
    transport = httpx.ASGITransport(app(Registry(log), users(settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as c:
        assert (await c.get("/subjects")).status_code == 401
        assert (await c.get("/subjects", auth=("hub", "wrong"))).status_code == 401
        assert (await c.get("/subjects", auth=("hub", "secret"))).status_code == 200
