"""What the embedded node is told: `server.properties` and `log4j2.properties`, as text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NODE_ID = "1"

MAX_MESSAGE_BYTES = 5 * 1024 * 1024
"""The broker's ceiling. Topics set their own: 1 MiB for sources, 4 MiB for dead letters."""


def server(log_dir: Path, port: int, controller_port: int, sasl: Sasl | None) -> str:
    """`server.properties` of one node that is broker and controller at once, on loopback only."""
    client = "SASL_PLAINTEXT" if sasl else "PLAINTEXT"
    lines: dict[str, str | int] = {
        "process.roles": "broker,controller",
        "node.id": NODE_ID,
        "log.dirs": str(log_dir),
        "controller.quorum.voters": f"{NODE_ID}@127.0.0.1:{controller_port}",
        "listeners": f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{port}",
        "listener.security.protocol.map": f"CLIENT:{client},CONTROLLER:{client}",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        # Topics are made by one command from the catalogue; a typing error must not make one.
        "auto.create.topics.enable": "false",
        "num.partitions": 1,
        "default.replication.factor": 1,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        "socket.request.max.bytes": 64 * 1024 * 1024,
        # One node: internal topics have one replica; few partitions keep the start short and the folder small.
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        # A group of one member need not wait for others; roles use static membership.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 6000,
        "offsets.retention.minutes": 60 * 24 * 400,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "log.cleaner.backoff.ms": 15_000,
        "log.segment.bytes": 128 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
        "num.recovery.threads.per.data.dir": 2,
        # After kill -9 the controller holds the dead broker for alive for this long, and the new start waits for it.
        "broker.session.timeout.ms": 2_000,
        "broker.heartbeat.interval.ms": 500,
    }
    if sasl:
        lines |= sasl.properties()
    return _text(lines)


class Sasl:
    """SCRAM-SHA-512 for clients and default-deny ACLs; `admin` is the only super user.

    The node speaks to itself as `admin` too: there is no listener without a password. That one password stands in the
    properties, for PLAIN: SCRAM credentials live in the metadata, which must be up before they can be set, in a folder
    that is new as in one that was made before there were passwords.
    """

    def __init__(self, admin: str, users: Mapping[str, str]) -> None:
        if admin not in users:
            raise ValueError(f"the admin principal {admin!r} has no password among the users")
        for name, password in users.items():
            if not name or any(c in name + password for c in '"\\,=[];\n'):
                raise ValueError(
                    f"user {name!r}: name and password must not hold quotes, backslash or any of , = [ ] ;"
                )
        self.admin = admin
        self.users = dict(users)

    def properties(self) -> dict[str, str | int]:
        password = self.users[self.admin]
        login = f'username="{self.admin}" password="{password}"'
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        plain = (
            f'org.apache.kafka.common.security.plain.PlainLoginModule required {login} user_{self.admin}="{password}";'
        )
        return {
            "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.client.plain.sasl.jaas.config": plain,
            "listener.name.client.scram-sha-512.sasl.jaas.config": scram,
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": plain,
            "sasl.mechanism.controller.protocol": "PLAIN",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{self.admin}",
        }


def log4j2(folder: Path) -> str:
    """Log to `broker.log` in the folder, 3 files of 10 MB at most."""
    return _text(
        {
            "status": "error",
            "appenders": "file",
            "appender.file.type": "RollingFile",
            "appender.file.name": "file",
            "appender.file.fileName": str(folder / "broker.log"),
            "appender.file.filePattern": str(folder / "broker.%i.log"),
            "appender.file.layout.type": "PatternLayout",
            "appender.file.layout.pattern": "%d{ISO8601} %p %m (%c{1})%n",
            "appender.file.policies.type": "Policies",
            "appender.file.policies.size.type": "SizeBasedTriggeringPolicy",
            "appender.file.policies.size.size": "10MB",
            "appender.file.strategy.type": "DefaultRolloverStrategy",
            "appender.file.strategy.max": 3,
            "rootLogger.level": "warn",
            "rootLogger.appenderRefs": "file",
            "rootLogger.appenderRef.file.ref": "file",
        }
    )


def _text(values: Mapping[str, str | int]) -> str:
    return "".join(f"{key}={value}\n" for key, value in values.items())
