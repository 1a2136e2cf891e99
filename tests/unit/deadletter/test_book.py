"""The book: which letters count, and what has become of them."""

from __future__ import annotations

from hub.deadletter.book import Book
from hub.deadletter.filters import Filter
from hub.kafka.topics import LETTER_STATES
from tests.support.letters import AT_MS, book, kafka, letter, state


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
