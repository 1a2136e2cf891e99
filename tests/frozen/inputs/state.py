"""The state of one partition, kept as the engine keeps it between chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hub.stream.stage import Outputs, Stored


class State:
    """`StateView` of the engine. waits: as in `EngineConfig`."""

    def __init__(self, waits: Callable[[Stored], bool] = lambda _: True) -> None:
        self._kept: dict[tuple[str, bytes], Stored] = {}
        self._waits = waits

    def get(self, store: str, key: bytes) -> Stored | None:
        return self._kept.get((store, key))

    def keys(self, store: str) -> Iterable[bytes]:
        return [key for own, key in self._kept if own == store]

    def waiting(self, store: str) -> Iterable[bytes]:
        return [key for key in self.keys(store) if self._waits(self._kept[store, key])]

    def take(self, outputs: Outputs) -> Outputs:
        """What a chunk or a tick changed is stored."""
        for where, stored in outputs.state.items():
            assert stored is not None
            self._kept[where] = stored
        return outputs
