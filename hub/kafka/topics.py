"""The topic catalogue: every Kafka topic of the hub, who writes it, who reads it, how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.events import families

INGRESS = "hub.ingress"
EVENTS = "hub.events"
DOSSIERS = families.DOSSIER.state_topic
PROCEDURES = families.PROCEDURE.state_topic
SERVICES = families.SERVICE.state_topic
DELIVERIES = "hub.deliveries"
REQUESTS = "hub.requests"
EXPECTATIONS = "hub.expectations"
DISCREPANCIES = "hub.discrepancies"
DEAD_LETTERS = "hub.dead-letters"
CONTROL = "hub.control"
AUDIT = "hub.audit"
LETTER_STATES = "hub.dead-letter-states"
ACTS = "hub.acts"
SCHEMAS = "_schemas"

DAY_MS = 86_400_000
COMPACTION_LAG_MS = 600_000
RECORD_LIMIT = 1_048_576
DEAD_LETTER_LIMIT = 4 * 1_048_576
SEGMENT_BYTES = 1_048_576
"""Of compacted topics. The broker cleans closed segments only, so the one that is being written is read whole at a
role's start; one that was closed by the hour made reconcile read seven records a key. No less than the record limit."""
DIRTY_SHARE = 0.25
"""So much of a compacted topic may be outdated before the broker cleans it: it bounds what is read, and how often the
cleaner writes the same again."""


def agency_ingress(agency: str) -> str:
    """The topic that one agency alone may write."""
    return f"{INGRESS}.{agency}"


def out(subscriber: str) -> str:
    """The topic of a subscriber that reads from Kafka."""
    return f"hub.out.{subscriber}"


def parking(subscriber: str) -> str:
    """Dossiers of that subscriber that wait for a retry."""
    return f"hub.parking.{subscriber}"


@dataclass(frozen=True, slots=True)
class Topic:
    """partitions: 0 means the setting `kafka.partitions`. retention_ms: -1 for compacted topics.

    segment_bytes: of compacted topics. writers, readers: principals as the ACL listing names them (a role's name,
    `agency`, `subscriber`).
    """

    name: str
    partitions: int
    compact: bool
    retention_ms: int
    max_message_bytes: int
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    content: str
    segment_bytes: int = SEGMENT_BYTES


def _log(
    name: str, partitions: int, days: int, writers: str, readers: str, content: str, limit: int = RECORD_LIMIT
) -> Topic:
    return Topic(name, partitions, False, days * DAY_MS, limit, tuple(writers.split()), tuple(readers.split()), content)


def _table(
    name: str, partitions: int, writers: str, readers: str, content: str, segment_bytes: int = SEGMENT_BYTES
) -> Topic:
    words = tuple(writers.split()), tuple(readers.split())
    return Topic(name, partitions, True, -1, RECORD_LIMIT, *words, content, segment_bytes)


_READERS = "core deliver reconcile projector console operator"

CATALOGUE = (
    _log(INGRESS, 0, 30, "gateway intake source operator core", "core operator gateway",
         "accepted events, keyed, source checked; questions of the core's clock"),
    _log(EVENTS, 0, 400, "core", "deliver projector reconcile operator gateway", "canonical events"),
    _table(DOSSIERS, 0, "core", _READERS, "current state of dossiers, changelog of the core",
           4 * SEGMENT_BYTES),  # its records are four times as large as the others'; fewer files for a million
    _table(PROCEDURES, 0, "core", _READERS, "current state of procedures"),
    _table(SERVICES, 0, "core", _READERS, "current state of online services"),
    _log(DELIVERIES, 0, 400, "deliver", "deliver reconcile projector operator gateway", "attempts, retries, receipts"),
    _log(REQUESTS, 0, 30, "reconcile operator console gateway", "deliver operator gateway", "re-send, replay, skip"),
    _table(EXPECTATIONS, 0, "reconcile", "reconcile operator", "due and acknowledged hub_seq"),
    _table(DISCREPANCIES, 0, "reconcile", "projector console operator gateway", "open and healed differences"),
    _log(DEAD_LETTERS, 3, 400, "gateway intake source core deliver reconcile operator",
         "projector operator console gateway", "original bytes with reason, stage and origin", DEAD_LETTER_LIMIT),
    replace(_table(LETTER_STATES, 3, "gateway operator console", "gateway operator console",
                   "what became of dead letters: replayed, skipped, closed"), retention_ms=430 * DAY_MS),
    _table(CONTROL, 1, "gateway operator deliver projector",
           "gateway intake source deliver reconcile projector console operator supervisor",
           "organisations, keys, rights, subscriptions, pauses"),
    _log(AUDIT, 3, 5 * 365, "gateway operator console projector registry", "gateway operator console",
         "what operators did and were refused; kept for `audit.keep_years`"),
    replace(_table(ACTS, 1, "gateway operator console", "gateway operator console",
                   "operators' long acts: how far they are, and where they go on"), retention_ms=30 * DAY_MS),
    _table(SCHEMAS, 1, "registry", "registry gateway intake source core deliver reconcile projector console operator",
           "schema registry, public record format"),
)  # fmt: skip


def agency_topic(agency: str) -> Topic:
    return _log(agency_ingress(agency), 3, 7, "agency", "intake", "what this agency produced by itself")


def subscriber_topics(subscriber: str) -> tuple[Topic, Topic]:
    """(out, parking) topics of one subscriber."""
    return (
        _log(out(subscriber), 3, 30, "deliver", "subscriber", "events for a subscriber on Kafka"),
        _table(parking(subscriber), 0, "deliver", "deliver operator", "dossiers that wait for a retry"),
    )


_COMPACTED = frozenset(topic.name for topic in CATALOGUE if topic.compact)


def has_holes(name: str) -> bool:
    """Whether offsets of that topic may have no record: it is compacted, or written in transactions."""
    return name in _COMPACTED or name == AUDIT or name.startswith(parking(""))


def config(topic: Topic, min_insync_replicas: int) -> dict[str, str]:
    """Broker-side configuration of a topic."""
    out = {
        "cleanup.policy": "compact" if topic.compact else "delete",
        "max.message.bytes": str(topic.max_message_bytes),
        "min.insync.replicas": str(min_insync_replicas),
    }
    if topic.compact and topic.retention_ms > 0:
        out |= {"cleanup.policy": "compact,delete", "retention.ms": str(topic.retention_ms)}
    if topic.compact:
        out |= {
            "min.cleanable.dirty.ratio": str(DIRTY_SHARE),
            "segment.bytes": str(topic.segment_bytes),
            "segment.ms": "3600000",
            "delete.retention.ms": str(DAY_MS),
        }
    else:
        out |= {"retention.ms": str(topic.retention_ms)}
    if topic.name == CONTROL:
        # A writer that does not know whether its change landed looks for it (hub/control/changes.py) well within this.
        out["min.compaction.lag.ms"] = str(COMPACTION_LAG_MS)
    return out
