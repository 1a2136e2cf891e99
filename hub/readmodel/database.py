"""The SQL engine: SQLite in the data folder by default, PostgreSQL by URL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from hub.config import Settings
from hub.errors import ConfigError

SUPPORTED = ("sqlite", "postgresql+psycopg")


def open_engine(settings: Settings) -> Engine:
    """ConfigError (`readmodel.url`) for a URL that is none or names another database."""
    url = settings.readmodel.url
    if url is None:
        folder = settings.data_dir / "readmodel"
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'readmodel.sqlite'}"
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    if not url.startswith(SUPPORTED):
        raise ConfigError("readmodel.url", "must begin with sqlite:/// or postgresql://")
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError("readmodel.url", str(error)) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    return engine


def _tune_sqlite(connection: DBAPIConnection, _: object) -> None:
    """WAL lets pages be read while the projector writes; NORMAL is enough, since Kafka holds the truth."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
