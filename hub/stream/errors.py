"""What the engine raises. Each ends the process without acknowledging; the supervisor starts it again.

HubError
└── EngineError
    ├── LedgerError     chunks handed out in an order that would work a record twice: a fault of the program
    ├── LeaseError      the group's coordinator does not answer, so ownership cannot be shown before a state write
    ├── Fenced          another process has claimed the partition's transactional id: it is the owner now
    ├── StateError      the state topic is not what its owner left: shorter than before, or it cannot be read
    ├── WriteRefused    the broker refused these very records (too large); the record they came from is at fault
    ├── StepDied        the process died inside the step over this record; not raised, given to `dead_letter`
    └── Parted          what was worked and what the broker holds as committed have been apart for too long
"""

from __future__ import annotations

from hub.errors import HubError


class EngineError(HubError):
    """Root of the tree above."""


class LedgerError(EngineError):
    pass


class LeaseError(EngineError):
    pass


class Fenced(EngineError):
    pass


class StateError(EngineError):
    pass


class WriteRefused(EngineError):
    pass


class StepDied(EngineError):
    pass


class Parted(EngineError):
    pass
