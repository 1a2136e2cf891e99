"""What operators see of dead letters, for command line, HTTP and console: lists and numbers over the one book."""

from __future__ import annotations

from collections import Counter

from hub.config import Settings
from hub.deadletter.book import Book, Listed, read
from hub.deadletter.filters import Filter
from hub.deadletter.masked_view import summary
from hub.untyped import JsonObject


async def newest(settings: Settings, wanted: Filter, limit: int, closed: bool = False) -> list[Listed]:
    """At most `limit`, the newest first, without their bytes. closed: those that are done, too."""
    return (await read(settings, wanted.since_ms)).newest(wanted, limit, closed)


async def counts(settings: Settings, wanted: Filter, closed: bool = False) -> Counter[tuple[str, str]]:
    """(stage, reason) -> how many."""
    return (await read(settings, wanted.since_ms)).numbers(wanted, closed)


def row(one: Listed) -> JsonObject:
    """One line of a list. act: id of the audit entry that tells who closed it; "" of an open one."""
    state = one.state
    return summary(one.found.letter) | {
        "state": one.text,
        "status": "open" if state is None else state.state,
        "act": "" if state is None else state.act,
    }


def numbers(book: Book) -> list[JsonObject]:
    """Of the open ones: {stage, reason, n}, the most first."""
    return [{"stage": stage, "reason": reason, "n": n} for (stage, reason), n in book.numbers(Filter()).most_common()]
