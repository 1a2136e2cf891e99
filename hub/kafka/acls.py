"""Who may do what on Kafka, derived from the topic catalogue: for a cluster that denies by default.

One principal per role (`User:core`), per agency (`User:agency-<name>`) and per subscriber (`User:subscriber-<name>`).
READ and WRITE imply DESCRIBE in Kafka. Since Kafka 2.8 an idempotent producer needs no right on the cluster;
`IDEMPOTENT_WRITE` is listed for older clusters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hub.kafka.clients import group_of
from hub.kafka.topics import ACTS, CONTROL, INGRESS, SCHEMAS, Topic

Resource = Literal["topic", "group", "transactional-id", "cluster"]
Operation = Literal[
    "Read", "Write", "Describe", "Create", "Alter", "Delete", "DescribeConfigs", "AlterConfigs", "IdempotentWrite"
]

OUT_PREFIX = "hub.out."
PARKING_PREFIX = "hub.parking."
AGENCY_PREFIX = f"{INGRESS}."


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One ALLOW for a principal, from any host. `prefixed`: the name is a prefix of names."""

    principal: str
    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False

    def command(self, bootstrap: str, command_config: str = "admin.properties") -> str:
        """Writes the right as a line for Kafka's own `kafka-acls` tool."""
        words = [
            "kafka-acls", "--bootstrap-server", bootstrap, "--command-config", command_config, "--add",
            "--allow-principal", f"User:{self.principal}", "--operation", self.operation,
        ]  # fmt: skip
        if self.resource == "cluster":
            return " ".join([*words, "--cluster"])
        words += [f"--{self.resource}", self.name]
        return " ".join(words + ["--resource-pattern-type", "prefixed"] * self.prefixed)


# Roles that keep their place with a consumer group, and those whose producers may be transactional (fencing).
_GROUPS = ("intake", "core", "deliver", "reconcile", "projector", "console", "gateway", "source")
_TRANSACTIONAL = ("core", "reconcile")
_ACTORS = ("console", "gateway", "operator")
"""Who carries out what operators ask for; a long act has a transactional id of its own (hub/admin/acts/journal.py)."""
_CHANGERS = ("deliver", "gateway", "operator", "projector")
"""Who changes hub.control: all with one transactional id, so that the broker knows one writer at a time."""


def agency_principal(agency: str) -> str:
    return f"agency-{agency}"


def subscriber_principal(subscriber: str) -> str:
    return f"subscriber-{subscriber}"


def _principal(word: str, topic: Topic) -> str:
    """The catalogue's `agency` and `subscriber` stand for the one whose name the topic bears."""
    if word == "agency":
        return agency_principal(topic.name.removeprefix(AGENCY_PREFIX))
    if word == "subscriber":
        return subscriber_principal(topic.name.removeprefix(OUT_PREFIX))
    return word


def listing(topics: Iterable[Topic]) -> list[Acl]:
    """Every right that the principals of these topics need, sorted, without doubles."""
    acls: set[Acl] = set()
    for topic in topics:
        for word in topic.writers:
            principal = _principal(word, topic)
            acls.add(Acl(principal, "topic", topic.name, "Write"))
            acls.add(Acl(principal, "cluster", "kafka-cluster", "IdempotentWrite"))
        for word in topic.readers:
            principal = _principal(word, topic)
            acls.add(Acl(principal, "topic", topic.name, "Read"))
            if word == "subscriber":
                acls.add(Acl(principal, "group", principal, "Read"))
                acls.add(Acl(principal, "group", f"{principal}.", "Read", prefixed=True))
        if topic.compact:  # an owner of state makes sure at its start that age deletes nothing of it
            acls |= {Acl(w, "topic", topic.name, "DescribeConfigs") for w in topic.writers if w in _TRANSACTIONAL}
    acls |= set(_families()) | set(_groups()) | set(_operators())
    return sorted(acls)


def _families() -> Iterable[Acl]:
    """Topics that come and go with agencies and subscribers, by their prefix."""
    yield Acl("intake", "topic", AGENCY_PREFIX, "Read", prefixed=True)
    yield Acl("deliver", "topic", OUT_PREFIX, "Write", prefixed=True)
    yield Acl("deliver", "topic", PARKING_PREFIX, "Write", prefixed=True)
    yield Acl("deliver", "topic", PARKING_PREFIX, "Read", prefixed=True)
    yield Acl("gateway", "topic", PARKING_PREFIX, "Read", prefixed=True)


def _groups() -> Iterable[Acl]:
    for role in _GROUPS:
        yield Acl(role, "group", group_of(role), "Read", prefixed=True)
    for role in _TRANSACTIONAL:
        for operation in ("Write", "Describe"):
            yield Acl(role, "transactional-id", group_of(role), operation, prefixed=True)
    for role in _CHANGERS:
        yield Acl(role, "transactional-id", CONTROL, "Write")
        yield Acl(role, "transactional-id", CONTROL, "Describe")
    for role in _ACTORS:
        yield Acl(role, "transactional-id", f"{ACTS}.", "Write", prefixed=True)
        yield Acl(role, "transactional-id", f"{ACTS}.", "Describe", prefixed=True)


def _operators() -> Iterable[Acl]:
    """`operator` runs `hub topics apply`; the gateway makes the topics of a new subscriber or agency."""
    operations: tuple[Operation, ...] = ("Create", "Describe", "Alter", "DescribeConfigs", "AlterConfigs")
    for operation in operations:
        yield Acl("operator", "topic", "hub.", operation, prefixed=True)
        yield Acl("operator", "topic", SCHEMAS, operation)
        for prefix in (OUT_PREFIX, PARKING_PREFIX, AGENCY_PREFIX):
            yield Acl("gateway", "topic", prefix, operation, prefixed=True)
    for prefix in (OUT_PREFIX, PARKING_PREFIX, AGENCY_PREFIX):
        yield Acl("operator", "topic", prefix, "Read", prefixed=True)
    for principal in ("operator", "console", "supervisor"):
        yield Acl(principal, "group", "hub.", "Describe", prefixed=True)
    yield Acl("operator", "group", "hub.operator", "Read", prefixed=True)
    yield Acl("operator", "cluster", "kafka-cluster", "Describe")
