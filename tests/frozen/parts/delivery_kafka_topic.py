"""A2: what a subscriber on Kafka finds in its topic, and which events a filter admits."""

from __future__ import annotations

import asyncio
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest import mock

from hub.avro.generic import decode_body, parsed
from hub.config import Settings
from hub.connect.portal import Item
from hub.control import subscriber_filter
from hub.control.records import Filter, Subscriber
from hub.events import families
from hub_connectors.kafka_topic import portal as make
from hub_connectors.kafka_topic.portal import KafkaTopicPortal
from hub_connectors.kafka_topic.writer import Writer
from tests.frozen.inputs import canonical, fixed

FILTERS = {
    "all": {},
    "agency, new form": {"agencies": ["H11.12"]},
    "agency, old form": {"agencies": ["000.00.12.H11"]},
    "agency, old form with a number at level 3": {"agencies": ["001.00.12.H11"]},
    "agency, lower case and blanks": {"agencies": [" h11.07 "]},
    "province": {"agencies": ["H11"]},
    "another province": {"agencies": ["H56"]},
    "agency that received it": {"agencies": ["H11.40"]},
    "agency that holds it": {"agencies": ["H11.19"]},
    "agency of the whole": {"agencies": ["H11.07"]},
    "two agencies": {"agencies": ["H11.05", "H56.06"]},
    "star": {"agencies": ["*"]},
    "no dot": {"agencies": ["h11 12"]},
    "procedure": {"procedures": ["1.004194"]},
    "procedure with the province's suffix": {"procedures": ["1.001612"]},
    "type of event": {"types": ["vn.hub.dossier.event"]},
    "deadlines": {"types": ["vn.hub.dossier.deadline"]},
    "kind of deadline": {"types": ["TRANSFER_DUE"]},
    "words": {"types": ["RECEIVED", "RETURNED", "WITHDRAWN"]},
    "agency and word": {"agencies": ["H11.07"], "types": ["TRANSFERRED"]},
    "agency and procedure": {"agencies": ["H11.17"], "procedures": ["1.009994"]},
}


def outputs() -> dict[str, Any]:
    with fixed.moment():
        return {
            "records": asyncio.run(_records(personal=False)),
            "records_with_personal": asyncio.run(_records(personal=True)),
            "due": {name: _due(Filter.model_validate(given)) for name, given in FILTERS.items()},
            "about": _about(),
        }


async def _records(personal: bool) -> dict[str, Any]:
    """One record an event: with the right to personal data its bytes are those of hub.events."""
    sent: list[dict[str, Any]] = []
    portal = _portal(personal_data=personal)
    out = {}
    with mock.patch.object(import_module(KafkaTopicPortal.__module__), "lease", _lease(sent)):
        await portal.open()
        for name, item in canonical.every().items():
            await portal.deliver([item])
            out[name] = _told(sent.pop(), item, personal)
        await portal.close()
    return out


def _told(record: dict[str, Any], item: Item, personal: bool) -> Any:
    if personal:
        return fixed.sha(record["value"]) + (" as in the log" if record["value"] == item.value else "")
    headers = " ".join(f"{name}={value}" for name, value in fixed.texts(record["headers"]).items())
    name = families.BY_TYPE[item.envelope.type].record
    before = decode_body(item.value[len(canonical.HEAD) :], parsed(name))
    datum = fixed.codec().decode(record["value"], name)[1]
    return {
        "topic and key": f"{record['topic']} {record['key'].decode()}",
        "headers": headers if item.offset == 0 else fixed.sha(headers),
        "value_sha": fixed.sha(record["value"]),
        "withheld": len(fixed.changed(before, datum)),
    }


def _lease(sent: list[dict[str, Any]]) -> Any:
    """A writer whose producer keeps what it is given."""

    class Producer:
        async def send_and_wait(self, topic: str, value: bytes, key: bytes, headers: Any) -> Any:
            sent.append({"topic": topic, "value": value, "key": key, "headers": headers})
            return SimpleNamespace(partition=0, offset=len(sent))

        async def stop(self) -> None:
            pass

    async def lease(settings: Settings, subscriber: str) -> Writer:
        producer: Any = Producer()
        return Writer(settings, producer, fixed.codec(), (settings.bootstrap, subscriber), leases=1)

    return lease


def _due(wanted: Filter) -> dict[str, str]:
    """By history the numbers of the events that it admits."""
    found = {
        name: " ".join(
            str(item.hub_seq) for item in items if subscriber_filter.due(wanted, item.envelope.type, item.data)
        )
        for name, items in canonical.groups().items()
    }
    return {name: seqs for name, seqs in found.items() if seqs}


def _portal(**settings: Any) -> KafkaTopicPortal:
    return make(Subscriber(name="so-xay-dung", kind="kafka-topic", settings=settings))


def _about() -> dict[str, Any]:
    portal = _portal()
    return {"strategy": str(portal.strategy), "max_fold": portal.max_fold, "families": list(portal.families)}
