"""Which dead letters: what the operator asks for, and what the audit remembers of it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.deadletter.record import DeadLetter


@dataclass(frozen=True, slots=True)
class Filter:
    """What is empty admits all. since_ms: written at or after it (epoch milliseconds, UTC); the reader sees to that."""

    ids: frozenset[str] = frozenset()
    stage: str = ""
    reason: str = ""
    subscriber: str = ""
    dossier: str = ""
    since_ms: int = 0

    def admits(self, letter: DeadLetter) -> bool:
        """`dossier` compares the key: also a procedure or service code."""
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.stage or letter.stage == self.stage)
            and (not self.reason or letter.reason == self.reason)
            and (not self.subscriber or letter.subscriber == self.subscriber)
            and (not self.dossier or letter.key == self.dossier.encode())
        )

    @property
    def empty(self) -> bool:
        return self == Filter()

    def words(self) -> dict[str, str]:
        """What is asked for, as text; `of` reads it back."""
        told = {
            "ids": ",".join(sorted(self.ids)),
            "stage": self.stage,
            "reason": self.reason,
            "subscriber": self.subscriber,
            "dossier": self.dossier,
            "since": str(self.since_ms) if self.since_ms else "",
        }
        return {name: value for name, value in told.items() if value}

    @staticmethod
    def of(words: dict[str, str]) -> Filter:
        """ValueError for a `since` that is no number."""
        return Filter(
            frozenset(words["ids"].split(",")) if "ids" in words else frozenset(),
            words.get("stage", ""),
            words.get("reason", ""),
            words.get("subscriber", ""),
            words.get("dossier", ""),
            int(words.get("since", "0")),
        )
