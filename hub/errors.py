"""Every error the hub raises on purpose.

HubError
├── ConfigError            a setting is wrong; carries the field's name
├── StartError             something the process needs cannot be had (port taken, disk full, no JRE, no broker)
├── BadRecord              one record cannot be used; becomes a dead letter, the rest goes on
│   └── DecodeError        its bytes are not what they claim to be
├── Refused                what somebody asks for cannot be done as it is asked; who asks can mend it
├── RegistryError          the schema registry refused or is away
├── Overloaded             too much is under way at a door; carries retry_after in seconds
├── BrokerAway             the broker did not acknowledge what a door took in; carries retry_after
└── Delivery verdicts
    ├── Retryable          the portal may take it later; carries retry_after in seconds
    └── Rejected           the portal will never take it as it is; becomes a dead letter

Anything else that escapes a stage is a fault of the program: the process ends without acknowledging, and the
supervisor starts it again (docs/engine.md#a-failed-chunk).
"""

from __future__ import annotations


class HubError(Exception):
    """Root of the tree above."""


class ConfigError(HubError):
    """A setting is wrong. `field` is its dotted name, as in `kafka.bootstrap_servers`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class StartError(HubError):
    """The process cannot start; the message says what to do about it."""


class Refused(HubError):
    """What is asked for cannot be done as it is asked; the message says what to do instead."""


class BadRecord(HubError):
    """One record is unusable.

    reason: a word of `hub.deadletter.reasons` (stable, used as a metric label).
    detail: a sentence naming field, rule and value (masked if personal), and what to do.
    field:  dotted name of the offending field, or "".
    """

    def __init__(self, reason: str, detail: str, field: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.field = field


class DecodeError(BadRecord):
    """The bytes cannot be decoded: wrong magic byte, unknown schema id, truncated Avro, invalid UTF-8."""


class RegistryError(HubError):
    """The registry answered with an error, or did not answer. `code` is Confluent's error_code, 0 when away."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class Overloaded(HubError):
    """Too much is under way; `retry_after` in seconds."""

    retry_after = 1


class BrokerAway(HubError):
    """The broker did not acknowledge; what was sent may or may not stand in the log. `retry_after` in seconds."""

    retry_after = 5


class Retryable(HubError):
    """A portal did not take it now. `kind` is a short stable word (timeout, connect, http_5xx, busy, session …)."""

    def __init__(self, kind: str, message: str, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.status = status


class Rejected(HubError):
    """A portal refused for good. `reason` is a short stable word (schema, limit, forbidden, gone …)."""

    def __init__(self, reason: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
