"""The registry's topic as a list in memory."""

from __future__ import annotations

from hub.registry.server.errors import ApiError
from hub.registry.server.state import State


class MemoryLog:
    """Writes are read back at once. `refuse` makes the next write fail as the broker would."""

    def __init__(self) -> None:
        self.state = State()
        self.records: list[tuple[bytes, bytes | None]] = []
        self.refuse: ApiError | None = None
        self.late: list[tuple[bytes, bytes | None]] = []

    async def prepare(self, what: str) -> None:
        """What an unclear earlier write brought to the topic after all is read now."""
        for key, value in self.late:
            self.state.apply(key, value)
        self.late.clear()

    async def write(self, what: str, records: list[tuple[bytes, bytes | None]]) -> None:
        if self.refuse is not None:
            raise self.refuse
        for key, value in records:
            self.records.append((key, value))
            self.state.apply(key, value)
