"""The book: which letters count, and what has become of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord

from hub.deadletter.book import Book
from hub.deadletter.filters import Filter
from hub.deadletter.states import LetterState, State
from hub.kafka.topics import DEAD_LETTERS, LETTER_STATES

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
AT_MS = round(AT.timestamp() * 1000)


def kafka(topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None, **more: Any) -> Any:
    headers = tuple((name, raw.encode()) for name, raw in more.pop("headers", {}).items())
    at = more.pop("at", AT_MS - 1_000)
    return ConsumerRecord(topic, partition, offset, at, 0, key, value, None, 0, 0, headers)


def letter(id: str, offset: int, partition: int = 0, stage: str = "core", **more: Any) -> Any:
    own = {"dl_id": id, "dl_stage": stage, "dl_reason": "date", "dl_at": str(offset)}
    headers = own | more.pop("headers", {})
    return kafka(DEAD_LETTERS, partition, offset, more.pop("key", b"K"), b"personal bytes", headers=headers, **more)


def state(id: str, offset: int, state: State = "replayed", partition: int = 0) -> Any:
    told = LetterState(letter=id, state=state, act="a-1", at=AT, who="lan@desk", partition=partition, offset=offset)
    return kafka(LETTER_STATES, 0, 0, id.encode(), told.model_dump_json().encode())


def book(*records: Any) -> Book:
    out = Book()
    for one in records:
        out.take(one)
    return out


def ids(one: Book, closed: bool = False) -> list[str]:
    return [found.found.letter.id for found in one.listed(Filter(), closed)]


def test_a_letter_without_a_record_is_open() -> None:
    assert [one.text for one in book(letter("a", 1)).listed(Filter())] == ["open"]


def test_a_closed_one_is_no_longer_counted_whatever_its_stage() -> None:
    for stage in ("core", "intake", "deliver"):
        one = book(letter("a", 1, stage=stage), letter("b", 2, stage=stage), state("a", 1))
        assert one.numbers(Filter()) == {(stage, "date"): 1}
        assert one.numbers(Filter(), closed=True) == {(stage, "date"): 2}
        assert ids(one) == ["b"]
    assert [one.text for one in book(letter("a", 1), state("a", 1, "skipped")).listed(Filter(), closed=True)] == [
        "skipped 2026-11-24T08:30:00.000Z by lan@desk"
    ]


def test_it_does_not_matter_which_topic_is_read_first() -> None:
    assert ids(book(state("a", 1), letter("a", 1))) == []


def test_one_that_came_again_after_it_was_replayed_is_open() -> None:
    assert ids(book(letter("a", 1), state("a", 1), letter("a", 5))) == ["a"]
    assert ids(book(letter("a", 1), letter("a", 5), state("a", 5))) == []


def test_one_without_a_key_may_stand_in_two_partitions() -> None:
    early, late = letter("a", 7, 1, at=AT_MS - 9), letter("a", 3, 2, at=AT_MS + 9)
    for order in ((early, late), (late, early)):
        assert ids(book(*order, state("a", 7, partition=1))) == ["a"], "it came after the act"
        assert ids(book(*order, state("a", 3, partition=2))) == []


def test_one_whose_replay_failed_is_superseded() -> None:
    one = book(letter("a", 1), state("a", 1), letter("b", 2, headers={"ce_replayof": "a"}))
    assert ids(one, closed=True) == ["b"]


def test_a_state_that_was_taken_back_or_cannot_be_read_leaves_it_open() -> None:
    gone = kafka(LETTER_STATES, 0, 1, b"a", None)
    broken = kafka(LETTER_STATES, 0, 1, b"a", b"{}")
    for later in (gone, broken):
        assert ids(book(letter("a", 1), state("a", 1), later)) == ["a"]


def test_the_newest_without_bytes_or_headers() -> None:
    one = book(*(letter(f"l{n}", n) for n in range(30)))
    found = one.newest(Filter(), 3)
    assert [f.found.letter.id for f in found] == ["l29", "l28", "l27"]
    assert {(f.found.letter.value, f.found.letter.headers) for f in found} == {(None, ())}
    assert ids(one) == [f"l{n}" for n in range(30)]
    late = Filter(since_ms=AT_MS)
    assert list(one.listed(late)) == []
