"""Before an older program runs again: writes into `hub.control` what it looks for there (docs/audit.md).

It finds acts on dead letters and what was sent of ratings in `audit/…` records. And it reads uncommitted records: where
one of an undone change is the last of its key, the valid one is written once more. `migrate` moves it over again.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.config import Settings
from hub.control.claim import Line, commit
from hub.control.directory import Directory
from hub.deadletter import book, old_audit
from hub.deadletter.filters import Filter
from hub.deadletter.old_audit import KEY_PREFIX, OldEntry
from hub.deadletter.states import LetterState
from hub.kafka.tail import opened
from hub.kafka.topics import CONTROL


async def go_back(settings: Settings) -> int:
    """How many records were written. The hub must be stopped."""
    acts = await _acts(settings)
    mended = await _undone(settings)
    count = 0

    def lines(present: Directory) -> Sequence[Line]:
        nonlocal count
        marks = [old_audit.satisfaction_of(name, one.slot) for name, one in sorted(present.satisfaction.items())]
        out = [*mended, *(_line(old) for old in (*acts, *marks))]
        count = len(out)
        return out

    await commit(settings, lines)
    return count


async def _acts(settings: Settings) -> list[OldEntry]:
    by_act: dict[tuple[str, str], list[LetterState]] = {}
    for one in (await book.read(settings)).listed(Filter(), closed=True):
        if one.state is not None:
            by_act.setdefault((one.state.act, one.state.state), []).append(one.state)
    return [entry for states in by_act.values() for entry in old_audit.acts_of(states)]


async def _undone(settings: Settings) -> list[Line]:
    valid, seen = await _last(settings, "read_committed"), await _last(settings, "read_uncommitted")
    return [Line(CONTROL, key, valid.get(key)) for key, value in seen.items() if value != valid.get(key)]


async def _last(settings: Settings, isolation: str) -> dict[bytes, bytes | None]:
    out: dict[bytes, bytes | None] = {}
    async with opened(settings, isolation_level=isolation) as tail:
        await tail.from_beginning(CONTROL)
        async for _, records in tail.to_end():
            out.update((record.key or b"", record.value) for record in records)
    return out


def _line(old: OldEntry) -> Line:
    return Line(CONTROL, KEY_PREFIX + old.id.encode(), old.model_dump_json().encode())
