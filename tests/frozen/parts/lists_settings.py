"""A4: every setting with name, type, limits, default and what it says of itself; connectors' and records' too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from hub import config
from hub.control.audit import AuditEntry
from hub.control.records import BackfillProgress, Organisation, SatisfactionSent, Subscriber
from hub.deadletter.states import LetterState
from hub.errors import ConfigError
from hub.supervisor import environment
from hub_connectors.filedrop.mapping import Mapping
from hub_connectors.filedrop.settings import FileDropSettings
from hub_connectors.filedrop.words import names, table
from hub_connectors.kafka_topic.portal import KafkaTopicSettings
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.inbound.settings import InboundSettings
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.simulator.options import Options
from hub_connectors.simulation.faults import FAULTS, FaultOrder
from hub_connectors.webhook.settings import WebhookSettings
from tests.frozen.inputs import fixed

MODELS: dict[str, type[BaseModel]] = {
    "subscriber, kind national-portal": NationalPortalSettings,
    "subscriber, kind webhook": WebhookSettings,
    "subscriber, kind kafka-topic": KafkaTopicSettings,
    "sources.national-catalogue": CatalogueSettings,
    "inbound.national-portal": InboundSettings,
    "mapping.toml of the file drop": Mapping,
    "sources.filedrop": FileDropSettings,
    "hub simulate national-portal": Options,
    "faults of a simulator": FaultOrder,
}
RECORDS: dict[str, type[BaseModel]] = {
    "organisation": Organisation,
    "subscriber": Subscriber,
    "backfill": BackfillProgress,
    "satisfaction": SatisfactionSent,
    "audit": AuditEntry,
    "state of a dead letter": LetterState,
}
LOADED: dict[str, dict[str, str]] = {
    "nothing set": {},
    "a number": {"HUB_KAFKA__PARTITIONS": "6"},
    "a list": {"HUB_DEADLINES__HOURS": '[["08:00","12:00"]]'},
    "a source": {"HUB_SOURCES": '{"national-catalogue": {"poll_s": 5}}'},
    "no such group": {"HUB_KAFFKA__PARTITIONS": "6"},
    "no such name": {"HUB_KAFKA__PARTITION": "6"},
    "no such word": {"HUB_CORE__STORE": "tape"},
    "no number": {"HUB_KAFKA__PARTITIONS": "six"},
    "out of its limits": {"HUB_KAFKA__PARTITIONS": "0"},
    "two wrong": {"HUB_KAFKA__PARTITIONS": "0", "HUB_CORE__STORE": "tape"},
    "no password": {"HUB_KAFKA__SECURITY_PROTOCOL": "SASL_SSL"},
    "another tool's": {"HUB_CACHE_DIR": "/var/cache", "HUB_REQUIRE_ALL": "1", "HUB_SUBSCRIBER_SECRET": "x"},
    "the compiled step": {"HUB_COMPILED": "1"},
}


def outputs() -> dict[str, Any]:
    return {
        "hub": {
            name: {"environment": "HUB_" + name.upper().replace(".", "__"), **_field(field)}
            for name, field in _fields(config.Settings)
        },
        "connectors": {title: {name: _field(f) for name, f in _fields(model)} for title, model in MODELS.items()},
        "control_records": {title: {name: _field(f) for name, f in _fields(model)} for title, model in RECORDS.items()},
        "loaded": {title: _loaded(variables) for title, variables in LOADED.items()},
        "given_to_roles": _given_to_roles(),
        "words_of_products": {name: table(name) for name in names()},
        "faults": dict(FAULTS),
    }


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Dotted name -> field, groups opened."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _fields(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def _field(field: FieldInfo) -> dict[str, Any]:
    factory: Any = field.default_factory
    default = "(required)" if field.is_required() else _plain(factory() if factory else field.default)
    if factory and factory not in (dict, list):
        default = "(made)"
    told = {"type": _type(field.annotation), "default": default}
    if field.metadata:
        told["limits"] = sorted(_limit(one) for one in field.metadata)
    return told | ({"about": field.description} if field.description else {})


def _plain(value: Any) -> Any:
    """As JSON; what JSON has no form for as text."""
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str | dict) else str(value)


def _limit(one: Any) -> str:
    """A limit as pydantic shows it; of a function only its name, since its address changes from run to run."""
    return re.sub(r"<function (\S+) at 0x[0-9a-f]+>", r"\1", repr(one)).removeprefix("_PydanticGeneralMetadata")


def _type(annotation: Any) -> str:
    """As it is written, without the places of classes: they move."""
    if annotation is type(None):
        return "None"
    if get_origin(annotation) is None:
        return annotation.__name__ if isinstance(annotation, type) else str(annotation)
    inner = [_type(one) if not isinstance(one, str | int | Enum) else repr(one) for one in get_args(annotation)]
    outer = getattr(get_origin(annotation), "__name__", str(get_origin(annotation)))
    return " | ".join(inner) if outer in ("Union", "UnionType") else f"{outer}[{', '.join(inner)}]"


def _loaded(variables: dict[str, str]) -> Any:
    """What differs from the defaults, or the error."""
    with fixed.environment(variables):
        try:
            dump = config.load().model_dump(mode="json")
        except ConfigError as error:
            return {"field": error.field, "error": str(error)}
    usual = dict(_fields(config.Settings))
    flat = {name: _at(dump, name) for name in usual}
    return {name: value for name, value in flat.items() if value != _field(usual[name])["default"]}


def _at(dump: Any, name: str) -> Any:
    for part in name.split("."):
        dump = dump[part]
    return dump


def _given_to_roles() -> dict[str, str]:
    """The variables that the supervisor gives to each role's process."""
    own = {
        "HUB_CACHE_DIR": "/var/cache",
        "HUB_COMPILED": "1",
        "HUB_SUBSCRIBER_SECRET": "x",
        "HUB_DATA_DIR": "/elsewhere",
    }
    with fixed.environment(own):
        settings = config.Settings(data_dir=Path("/data"), kafka=config.KafkaSettings(partitions=6))
        found = environment.variables(settings)
    return {name: value for name, value in sorted(found.items()) if name.startswith("HUB_")}
