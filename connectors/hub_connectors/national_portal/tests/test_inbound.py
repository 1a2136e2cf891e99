"""Calls of the national portal into the province, against the golden messages, over the gateway's own application."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hub.avro.document import from_document
from hub.avro.generic import decode_body, encode_body, parsed, schema_json
from hub.avro.records import Dossier
from hub.config import Settings
from hub.connect.inbound import installed
from hub.errors import BrokerAway, ConfigError
from hub.events.envelope import read_headers
from hub.gateway.app import build
from hub.gateway.inbound import GatewayHost, mount
from hub.gateway.ingest import Ingest
from hub.gateway.sender import Sender
from hub.kafka.batches import KeyedLine
from hub.untyped import JsonObject, SettingsTable
from hub_connectors.national_portal.inbound import inbound
from hub_connectors.national_portal.tests.site import GOLDEN
from tests.support.codecs import fixed_codec
from tests.support.contract_events import _with_times
from tests.support.golden import Golden

golden = Golden(GOLDEN)
CODEC = fixed_codec()
OWN = {"clients": ["127.0.0.1"]}
Find = Callable[[str], Dossier | None]


class Broker(Sender):
    """Acknowledges everything, or nothing while `away`."""

    def __init__(self) -> None:
        super().__init__(None, "hub.ingress", 1 << 20)
        self.lines: list[KeyedLine] = []
        self.down = False

    async def send(self, lines: Any, owner: str = "") -> None:
        if self.down:
            raise BrokerAway("away")
        self.lines += lines


def application(broker: Broker, find: Find = lambda _: None, own: SettingsTable = OWN) -> FastAPI:
    settings = Settings(inbound={"national-portal": own})
    app = build(settings, lambda *_: None, Ingest(CODEC, broker), broker)
    mount(app, installed(settings), GatewayHost(CODEC, broker, find, 10_000))
    return app


def new(code: str) -> Dossier:
    return Dossier(dossier_code=code, hub_seq=1, status="NEW", status_at=0)


def client(app: FastAPI, address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://hub.test/inbound/national-portal/")


def content(call: JsonObject) -> bytes:
    if "raw" in call:
        return str(call["raw"]).encode()
    packed = base64.b64encode(str(call.get("xml", "")).encode()).decode()
    return json.dumps(call["body"]).replace("<xml>", packed).encode()


def expected(data: JsonObject) -> JsonObject:
    """The golden datum with every default, as it is on the wire."""
    name = "vn.hub.DossierStep"
    return decode_body(encode_body(name, _with_times(data, schema_json(name), {})), parsed(name))


@pytest.mark.parametrize("name", golden.names("inbound"))
async def test_answers_as_the_golden_messages(name: str) -> None:
    told = golden.load(name)
    known = from_document(Dossier, told["known"]) if told.get("known") else None
    broker = Broker()
    app = application(broker, lambda code: known if known and known.dossier_code == code else None)
    async with client(app) as http:
        for call in told["exchange"]:
            made = told["exchange"][call["again"]] if "again" in call else call
            reply = await http.post(made["path"], content=content(made))
            answer, before = reply.json(), broker.lines
            assert reply.status_code == 200
            assert {name: answer[name] for name in call["reply"]} == call["reply"], answer
            assert call.get("says", "") in answer["message"]
            broker.lines = []
            assert len(before) == len(call["events"])
            for (key, value, headers), wanted in zip(before, call["events"], strict=True):
                envelope = read_headers(headers)
                assert key.decode() == envelope.subject == wanted["subject"]
                assert (envelope.type, envelope.time) == (wanted["type"], wanted["time"])
                assert envelope.extensions == wanted["extensions"]
                assert CODEC.decode(value)[1] == expected(wanted["data"])


FILED = golden.load("23_inbound_filed")["exchange"][0]


async def test_a_dossier_that_the_hub_knows_is_there_already() -> None:
    broker = Broker()
    async with client(application(broker, new)) as http:
        assert (await http.post("addtthcKhuyenMai", content=content(FILED))).json()["error_code"] == 1
        again = {**FILED, "body": {**FILED["body"], "isUpdating": "True"}}
        assert (await http.post("addtthcKhuyenMai", content=content(again))).json()["error_code"] == 0
    assert len(broker.lines) == 1


async def test_of_two_dossiers_the_one_that_is_new_is_taken() -> None:
    broker = Broker()
    (one,) = FILED["body"]["data"]
    body = {**FILED["body"], "data": [one, {**one, "MaHoSo": "G22.99-260302-000124"}]}
    async with client(application(broker, lambda code: new(code) if code == one["MaHoSo"] else None)) as http:
        assert (await http.post("addtthcKhuyenMai", json=body)).json()["error_code"] == 0
    assert [key.decode() for key, _, _ in broker.lines] == ["G22.99-260302-000124"]


async def test_what_the_read_model_holds_of_a_later_version_is_as_if_it_were_away() -> None:
    def find(_: str) -> Dossier:
        return from_document(Dossier, {"status": "A_WORD_OF_LATER"})

    broker = Broker()
    async with client(application(broker, find)) as http:
        found = (await http.post("search/call", json={"masohoso": "H11.12-260302-0001"})).json()
        assert (found["error_code"], "gửi lại" in found["message"]) == (-1, True)
        assert (await http.post("addtthcKhuyenMai", content=content(FILED))).json()["error_code"] == 0
    assert len(broker.lines) == 1


async def test_taken_only_after_the_broker_has_it() -> None:
    broker = Broker()
    async with client(application(broker)) as http:
        broker.down = True
        answer = (await http.post("addtthcKhuyenMai", content=content(FILED))).json()
        assert answer["error_code"] == -1
        assert "gửi lại" in answer["message"]
        broker.down = False
        assert (await http.post("addtthcKhuyenMai", content=content(FILED))).json()["error_code"] == 0
    first, *rest = [read_headers(headers).id for _, _, headers in broker.lines]
    assert rest == []
    assert first


async def test_the_same_message_has_the_same_id_in_another_process() -> None:
    ids = set()
    for _ in range(2):
        broker = Broker()
        async with client(application(broker)) as http:
            await http.post("addtthcKhuyenMai", content=content(FILED))
        ids.add(read_headers(broker.lines[0][2]).id)
    assert len(ids) == 1


async def test_a_body_that_is_too_long() -> None:
    async with client(application(Broker())) as http:
        reply = await http.post("addtthcKhuyenMai", content=b" " * 10_001)
    assert reply.status_code == 413


async def test_who_may_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRET_DVCQG", "geheim")
    own = {"clients": ["10.1.0.0/16"], "token": "env:HUB_SECRET_DVCQG"}
    app = application(Broker(), own=own)
    statuses = {}
    for address in ("10.1.2.3", "10.2.0.1"):
        for token in ("geheim", "falsch"):
            async with client(app, address) as http:
                reply = await http.post(
                    "search/call", json={"masohoso": "x"}, headers={"Authorization": f"Bearer {token}"}
                )
                statuses[address, token] = reply.status_code
    assert statuses == {
        ("10.1.2.3", "geheim"): 200,
        ("10.1.2.3", "falsch"): 401,
        ("10.2.0.1", "geheim"): 403,
        ("10.2.0.1", "falsch"): 401,
    }


@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({}, "inbound.national-portal"),
        ({"clients": ["here"]}, "inbound.national-portal.clients"),
        ({"token": "plain"}, "inbound.national-portal.token"),
        ({"token": "env:HUB_TEST_NO_SUCH"}, "inbound.national-portal.token"),
        ({"clients": ["127.0.0.1"], "tokn": "x"}, "inbound.national-portal.tokn"),
    ],
)
def test_wrong_settings_are_named(own: SettingsTable, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        inbound(Settings(), own)
    assert caught.value.field == field


def test_without_settings_the_door_is_shut() -> None:
    assert installed(Settings()) == []
    with pytest.raises(ConfigError) as caught:
        installed(Settings(inbound={"elsewhere": {}}))
    assert caught.value.field == "inbound.elsewhere"


async def test_paths_names_and_codes_as_the_portal_s_owner_tells_them() -> None:
    own = {
        **OWN, "paths": {"addtthcKhuyenMai": "nhan/ho-so", "search/call": "tra-cuu"}, "taken_code": 100,
        "there_already_code": 101, "not_taken_code": 500, "by_post_tells": "filing",
        "field_names": {"MaHoSo": "MA_HO_SO", "search/call.TrangThaiHoSo": "TRANG_THAI", "NgayNopHoSo": "NGAY_NOP"},
        "applicant_kinds": {"STATE_AGENCY": "4", "ORGANISATION": "3"},
    }  # fmt: skip
    broker = Broker()
    known = Dossier(
        dossier_code="H11.12-260302-0001", hub_seq=1, status="NEW", status_at=0, channel="POST", return_by_post=False
    )
    sent = {"MA_HO_SO": "G22.99-260302-000123", "NGAY_NOP": "20260302081500", "ChuHoSo": "Sở A", "LoaiDoiTuong": "4"}
    async with client(application(broker, lambda code: known if code == known.dossier_code else None, own)) as http:
        assert (await http.post("addtthcKhuyenMai", json={})).status_code == 404
        answers = [(await http.post("nhan/ho-so", json={"refId": "1", "data": one})).json() for one in (sent, sent, {})]
        assert [answer["error_code"] for answer in answers] == [100, 101, 500]
        found = (await http.post("tra-cuu", json={"masohoso": known.dossier_code})).json()["result"][0]
        assert (found["MA_HO_SO"], found["TRANG_THAI"], found["HinhThuc"]) == ("H11.12-260302-0001", "1", "1")
    datum = CODEC.decode(broker.lines[0][1])[1]
    assert (datum["dossier_code"], datum["applicant"]["kind"]) == ("G22.99-260302-000123", "STATE_AGENCY")
    assert datum["submitted_at"] == datum["occurred_at"] != 0


async def test_names_of_the_elements_of_a_tax_notice() -> None:
    broker = Broker()
    notice = "<TB><SoHoSo>H11.12-260302-0001</SoHoSo></TB>"
    call = {"body": {"data": {"FileThongBaoThue": "<xml>"}}, "xml": notice}
    own = {**OWN, "field_names": {"nhantbthuedvcqg.MA_HSO": "SoHoSo"}}
    async with client(application(broker, own=own)) as http:
        assert (await http.post("nhantbthuedvcqg", content=content(call))).json()["error_code"] == 0
    assert [key.decode() for key, _, _ in broker.lines] == ["H11.12-260302-0001"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"paths": {"addtthc": "x"}},
        {"paths": {"search/call": "/x"}},
        {"paths": {"search/call": "nhanhsdvcqg"}},
        {"paths": {"search/call": "{x}"}},
        {"field_names": {"MaHoSoo": "x"}},
        {"applicant_kinds": {"STATE": "5"}},
        {"applicant_kinds": {"STATE_AGENCY": "4"}},
    ],
)
def test_wrong_choices_are_named(wrong: SettingsTable) -> None:
    with pytest.raises(ConfigError) as caught:
        inbound(Settings(), {**OWN, **wrong})
    assert caught.value.field == f"inbound.national-portal.{next(iter(wrong))}"


async def test_bad_text_clocks_and_lists() -> None:
    """NFD becomes NFC; bytes of TCVN3 are no JSON; a moment in the future is taken (the core judges), one that is none
    is not; an empty list is refused, a repeated entry makes one event."""
    (one,) = FILED["body"]["data"]
    nfd = {**one, "ChuHoSo": unicodedata.normalize("NFD", "Trần Thị Bưởi")}
    broker, answers = Broker(), {}
    async with client(application(broker)) as http:

        async def call(name: str, **sent: Any) -> None:
            answers[name] = (await http.post("addtthcKhuyenMai", **sent)).json()["error_code"]

        await call("nfd", json={"refId": "1", "data": [nfd]})
        await call("tcvn3", content=b'{"refId": "2", "data": [{"ChuHoSo": "Tr\xc7n"}]}')
        await call("a day ahead", json={"refId": "3", "data": [{**one, "NgayNopHoSo": "20990101000000"}]})
        await call("no day", json={"refId": "4", "data": [{**one, "NgayNopHoSo": "20261332000000"}]})
        await call("empty", json={"refId": "5", "data": []})
        await call("repeated", json={"refId": "6", "data": [one, one]})
    assert answers == {"nfd": 0, "tcvn3": -1, "a day ahead": 0, "no day": -1, "empty": -1, "repeated": 0}
    data = [CODEC.decode(value)[1] for _, value, _ in broker.lines]
    assert data[0]["applicant"]["name"] == "Trần Thị Bưởi"
    assert len({read_headers(headers).id for _, _, headers in broker.lines}) == 3, "the repeated one has one id"
