"""The SQL tables. One set of tables is a *generation*; a rebuild fills the next one and then swaps a single row.

The read model is disposable: everything in it comes from Kafka. Times are epoch milliseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import JSON, BigInteger, Boolean, Column, Engine, Index, Integer, MetaData, String, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite

SHAPE = 4
"""Raised with every change of a table. It stands in the tables' names: a hub that meets tables of an older shape fills
new ones from Kafka instead of failing at them."""

META = MetaData()
CURRENT = Table(
    "readmodel_current",
    META,
    Column("one", Integer, primary_key=True, comment="always 1"),
    Column("generation", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Generation:
    """The tables of one generation."""

    number: int
    metadata: MetaData
    dossiers: Table
    events: Table
    deliveries: Table
    dead_letters: Table
    discrepancies: Table
    offsets: Table

    def create(self, engine: Engine) -> None:
        self.metadata.create_all(engine)

    def drop(self, engine: Engine) -> None:
        self.metadata.drop_all(engine)


def generation(number: int) -> Generation:
    """Table objects of that generation; nothing is created yet."""
    metadata, prefix = MetaData(), f"g{number}s{SHAPE}_"
    return Generation(
        number=number,
        metadata=metadata,
        dossiers=_subjects(metadata, prefix),
        events=_events(metadata, prefix),
        deliveries=_deliveries(metadata, prefix),
        dead_letters=_dead_letters(metadata, prefix),
        discrepancies=_discrepancies(metadata, prefix),
        offsets=Table(
            prefix + "offsets",
            metadata,
            Column("topic", String(200), primary_key=True),
            Column("partition", Integer, primary_key=True, autoincrement=False),
            Column("next_offset", BigInteger, nullable=False, comment="the first offset not yet in the tables"),
        ),
    )


def _subjects(metadata: MetaData, prefix: str) -> Table:
    parent = Column("parent_code", String(100), comment="the dossier that this one is a part of")
    part = parent.is_not(None)
    return Table(
        prefix + "dossiers",
        metadata,
        Column("key", String(100), primary_key=True, comment="dossier, procedure or service code"),
        Column("family", String(12), nullable=False),
        Column("hub_seq", BigInteger, nullable=False),
        Column("status", String(24), nullable=False),
        Column("status_at", BigInteger),
        Column("procedure_code", String(60)),
        Column("agency_code", String(40)),
        Column("received_at", BigInteger),
        Column("due_at", BigInteger),
        Column("finished_at", BigInteger),
        parent,
        Column("state", JSON, nullable=False, comment="the whole record of hub.dossiers, .procedures or .services"),
        Index(f"ix_{prefix}dossiers_status", "family", "status"),
        Index(f"ix_{prefix}dossiers_status_at", "status_at"),
        # Parts are few among the dossiers: only they are in this index.
        Index(f"ix_{prefix}dossiers_parent", "parent_code", sqlite_where=part, postgresql_where=part),
    )


def _events(metadata: MetaData, prefix: str) -> Table:
    rating = Column("rating", Integer, comment="1 to 5, with step RATED")
    rated = rating.is_not(None)
    return Table(
        prefix + "events",
        metadata,
        Column("key", String(100), primary_key=True),
        Column("hub_seq", BigInteger, primary_key=True, autoincrement=False),
        Column("event_id", String(64), nullable=False),
        Column("cause_id", String(200), comment="id that the agency gave"),
        Column("type", String(60), nullable=False),
        Column("source", String(200), nullable=False),
        Column("step", String(24), nullable=False),
        Column("status", String(24)),
        Column("late", Boolean, nullable=False),
        Column("correction", Boolean, nullable=False, default=False),
        rating,
        Column("transferred_to", String(40), comment="agency code, with step TRANSFERRED"),
        Column("step_due_at", BigInteger, comment="when the step, or the agency transferred to, ought to be done"),
        Column("occurred_at", BigInteger, nullable=False),
        Column("accepted_at", BigInteger, comment="when the hub accepted it"),
        Column("note", Text),
        Column("handler", JSON),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Index(f"ix_{prefix}events_event_id", "event_id"),
        # Ratings are few among the events: only they are in this index.
        Index(f"ix_{prefix}events_rating", "occurred_at", sqlite_where=rated, postgresql_where=rated),
    )


def _deliveries(metadata: MetaData, prefix: str) -> Table:
    return Table(
        prefix + "deliveries",
        metadata,
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("offset", BigInteger, primary_key=True, autoincrement=False),
        Column("key", String(100), nullable=False),
        Column("subscriber", String(60), nullable=False),
        Column("outcome", String(20), nullable=False),
        Column("event_ids", JSON, nullable=False),
        Column("hub_seqs", JSON, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("latency_ms", Integer, nullable=False),
        Column("http_status", Integer),
        Column("error_kind", String(40)),
        Column("answer", Text),
        Column("not_before", BigInteger),
        Index(f"ix_{prefix}deliveries_key", "key"),
        Index(f"ix_{prefix}deliveries_subscriber", "subscriber", "outcome", "at"),
    )


def _dead_letters(metadata: MetaData, prefix: str) -> Table:
    return Table(
        prefix + "dead_letters",
        metadata,
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("offset", BigInteger, primary_key=True, autoincrement=False),
        Column("id", String(64), nullable=False),
        Column("key", String(200)),
        Column("stage", String(20), nullable=False),
        Column("reason", String(40), nullable=False),
        Column("detail", Text, nullable=False),
        Column("field", String(200), nullable=False),
        Column("subscriber", String(60), nullable=False),
        Column("event_id", String(200), nullable=False),
        Column("source", String(200), nullable=False),
        Column("origin", String(300), nullable=False, comment="topic/partition/offset, or file and line"),
        Column("at", BigInteger, nullable=False),
        Index(f"ix_{prefix}dead_letters_key", "key"),
        Index(f"ix_{prefix}dead_letters_id", "id"),
    )


def _discrepancies(metadata: MetaData, prefix: str) -> Table:
    return Table(
        prefix + "discrepancies",
        metadata,
        Column("id", String(200), primary_key=True),
        Column("key", String(100), nullable=False),
        Column("subscriber", String(60), nullable=False),
        Column("kind", String(12), nullable=False),
        Column("opened_at", BigInteger, nullable=False),
        Column("healed_at", BigInteger),
        Column("detail", Text, nullable=False),
        Index(f"ix_{prefix}discrepancies_key", "key"),
    )


def current(engine: Engine) -> Generation:
    """The generation that readers use; made on first use."""
    META.create_all(engine)
    with engine.begin() as connection:
        number = connection.execute(select(CURRENT.c.generation)).scalar()
        if number is None:
            connection.execute(CURRENT.insert().values(one=1, generation=1))
            number = 1
    found = generation(int(number))
    found.create(engine)
    return found


def swap(engine: Engine, number: int) -> None:
    """From here on readers and the projector use that generation."""
    with engine.begin() as connection:
        connection.execute(CURRENT.update().values(generation=number))


def upsert(engine: Engine, table: Table, keep_newest: str | None = None) -> postgresql.Insert | sqlite.Insert:
    """INSERT … ON CONFLICT (primary key) DO UPDATE; with `keep_newest` only where that column does not go down."""
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    insert: postgresql.Insert | sqlite.Insert = dialect.insert(table)
    primary = [c.name for c in table.primary_key.columns]
    values = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in primary}
    where = insert.excluded[keep_newest] >= table.c[keep_newest] if keep_newest else None
    return insert.on_conflict_do_update(index_elements=primary, set_=values, where=where)
