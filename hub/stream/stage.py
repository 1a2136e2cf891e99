"""What a stage of the hub sees of the engine. No Faust here: a step can be tested with lists and dicts.

A stage is a pure function over one chunk, `Step`, and perhaps a clock, `Tick`; both return `Outputs`. The engine reads
the chunk, writes what comes out in the order that loses nothing (outputs and dead letters confirmed, then state, then
the source offset) and owns the partition's state (docs/engine.md).

At least once: a chunk may be worked again after a crash or a change of owner, with the state as it was before or after
the first time. So every id a step makes must follow from its cause, and a step must bear its own outputs' repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

Header = tuple[str, bytes]


class Record(NamedTuple):
    """One Kafka record as read. `timestamp_ms` is epoch milliseconds, UTC."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


@dataclass(slots=True)
class Out:
    """One record to write. `partition` None: murmur2 of the key over the topic's partitions, as every keyed hub topic.

    A record without key and partition goes to the partition of the chunk it comes from, modulo the topic's count.
    `timestamp_ms` None: the time of writing.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
    partition: int | None = None
    timestamp_ms: int | None = None


class Stored(NamedTuple):
    """One key's state as it stands in the compacted topic."""

    value: bytes
    headers: Sequence[Header] = ()


class StateView(Protocol):
    """The state of one partition, as a step or a tick may read it. Its own changes are in its `Outputs`, not here."""

    def get(self, store: str, key: bytes) -> Stored | None: ...

    def keys(self, store: str) -> Iterable[bytes]:
        """All keys of this partition; valid until the step or tick returns."""
        ...

    def waiting(self, store: str) -> Iterable[bytes]:
        """Every key whose state `EngineConfig.waits` for a tick; perhaps others, where looking at all costs little."""
        ...


@dataclass(slots=True)
class Outputs:
    """What follows from one chunk or one tick.

    records: outputs and dead letters, confirmed by the broker first.
    state:   then the changed keys as (store, key) -> new state, one record a key; None deletes it (a tombstone).
             A key must belong to the partition it is changed in, or its next owner will not find it. Stores are
             written one after another, in the config's order: a crash in between leaves the later ones behind, so the
             store that tells what was seen comes last.
    """

    records: list[Out] = field(default_factory=list)
    state: dict[tuple[str, bytes], Stored | None] = field(default_factory=dict)


# Pure and synchronous: the records of ONE chunk, all of one partition of one topic, in offset order.
Step = Callable[[Sequence[Record], StateView], Outputs]

# partition, its state, now (epoch seconds); called by the partition's owner about every `tick_s`.
Tick = Callable[[int, StateView, float], Outputs]


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """One role on the engine.

    name:        consumer group and app id, as "hub.core".
    sources:     topics with the same number of partitions; partition n of each is worked by one owner, a chunk at a
                 time, against one state.
    stores:      compacted topics with that number of partitions; the store's name is its topic.
    version:     the `hub_seq` of a stored value: the highest wins on restore and after a foreign write. For one key it
                 never goes down, also not after a deletion.
    dead_letter: the record to write for one that crashes the step (stage `crash`).
    instance:    stable name of this replica (static membership: `<name>-<instance>`); two replicas must differ. A
                 replica that stops does not leave the group: it may come back within the session time without a
                 rebalance, and scaling down takes effect after it.
    store:       where the state is kept: in memory, or on disk (hub.stream.disk_store) where it may outgrow the memory.
    fencing:     what keeps a former owner from writing: the lease with offset continuity, or the broker, by one
                 transactional producer a partition (hub.stream.transaction_fence).
    waits:       whether a tick has to look at this state (`StateView.waiting`): the disk store keeps a list of such
                 keys, so that a tick need not read all of it. Whoever changes it rebuilds them (`disk._FORMAT`).
    tick:        must not raise for what it finds in the state: nothing can be set aside for it.
    """

    name: str
    sources: tuple[str, ...]
    stores: tuple[str, ...]
    step: Step
    version: Callable[[Stored], int]
    dead_letter: Callable[[Record, BaseException], Out]
    tick: Tick | None = None
    tick_s: float = 1.0
    instance: str = "0"
    chunk_records: int = 1000
    store: Literal["memory", "disk"] = "memory"
    fencing: Literal["lease", "transactions"] = "lease"
    waits: Callable[[Stored], bool] = lambda stored: True
