"""Exit codes of every `hub` command; scripts and the supervisor rely on them.

| code | meaning                                                                                  |
|------|------------------------------------------------------------------------------------------|
| 0    | done; for a role: it was asked to stop and did                                           |
| 1    | failed, or the answer is "no" (something is down, a check did not pass, nothing found)   |
| 2    | wrong usage, or a setting is wrong (the message names the field)                         |
| 3    | cannot start: the message says what a person must mend (port taken, disk full, no Java)  |
| 75   | not now: Kafka, the registry or a portal is away; the same command may succeed later     |
| 130  | ended by Ctrl-C                                                                          |
"""

from __future__ import annotations

from hub.errors import BrokerAway, ConfigError, HubError, RegistryError, Retryable, StartError

OK = 0
FAILED = 1
USAGE = 2
CANNOT_START = 3
NOT_NOW = 75
INTERRUPTED = 130


def code(error: BaseException) -> int:
    """The exit code that an error ends a command or a role with."""
    if isinstance(error, ConfigError):
        return USAGE
    if isinstance(error, StartError):
        return CANNOT_START
    if isinstance(error, Retryable | BrokerAway) or (isinstance(error, RegistryError) and error.code == 0):
        return NOT_NOW
    if not isinstance(error, HubError) and _kafka_is_away(error):
        return NOT_NOW
    return FAILED


def _kafka_is_away(error: BaseException) -> bool:
    # By name, so that commands that never speak to Kafka need not load aiokafka to end.
    names = {cls.__name__ for cls in type(error).__mro__}
    return bool(names & {"KafkaConnectionError", "NodeNotReadyError", "KafkaTimeoutError", "NoBrokersAvailable"})
