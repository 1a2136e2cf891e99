"""The ledger: hand-written cases, and a model that checks every interleaving hypothesis can think of."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.stream.errors import LedgerError
from hub.stream.offset_ledger import Item, Ledger


def test_commit_is_the_end_of_the_finished_prefix():
    ledger: Ledger[str] = Ledger()
    a, b, c = (ledger.hand_out("p", first, first + 10) for first in (0, 10, 20))
    assert a
    assert b
    assert c
    ledger.finish(b)
    assert ledger.to_commit() == {}
    assert ledger.processed("p") == 20
    ledger.finish(a)
    assert ledger.to_commit() == {"p": 20}
    ledger.confirmed({"p": 20})
    assert ledger.to_commit() == {}
    ledger.finish(c)
    assert ledger.to_commit() == {"p": 30}


def test_gap_between_items_does_not_hold_back_and_is_not_passed_early():
    ledger: Ledger[str] = Ledger()
    a, b = ledger.hand_out("p", 5, 8), ledger.hand_out("p", 100, 101)
    assert a
    assert b
    assert ledger.finish(a)
    assert ledger.to_commit() == {"p": 8}
    assert ledger.finish(b)
    assert ledger.to_commit() == {"p": 101}


def test_skipped_offsets_wait_for_what_is_before_them():
    ledger: Ledger[str] = Ledger()
    a = ledger.hand_out("p", 0, 1)
    ledger.skip("p", 1, 5)
    assert a
    assert ledger.to_commit() == {}
    ledger.finish(a)
    assert ledger.to_commit() == {"p": 5}


def test_item_of_an_ended_epoch_can_neither_be_handed_out_nor_finished():
    ledger: Ledger[str] = Ledger()
    fetched_in = ledger.epoch("p")
    item = ledger.hand_out("p", 0, 1, fetched_in)
    assert item
    ledger.seek("p")
    assert not ledger.live(item)
    assert not ledger.finish(item)
    assert ledger.hand_out("p", 1, 2, fetched_in) is None
    again = ledger.hand_out("p", 0, 1)
    assert again
    assert ledger.finish(again)
    assert ledger.to_commit() == {"p": 1}


def test_answer_to_a_commit_from_before_the_seek_is_ignored():
    ledger: Ledger[str] = Ledger()
    item, epochs = ledger.hand_out("p", 0, 4), {"p": ledger.epoch("p")}
    assert item
    ledger.finish(item)
    ledger.seek("p")
    again = ledger.hand_out("p", 0, 4)
    assert again
    ledger.finish(again)
    ledger.confirmed({"p": 4}, epochs)
    assert ledger.to_commit() == {"p": 4}


def test_offsets_handed_out_twice_in_one_epoch_are_refused():
    ledger: Ledger[str] = Ledger()
    ledger.hand_out("p", 0, 10)
    with pytest.raises(LedgerError):
        ledger.hand_out("p", 9, 12)


def test_closed_ledger_commits_nothing_more():
    ledger: Ledger[str] = Ledger()
    item = ledger.hand_out("p", 0, 10)
    assert item
    ledger.finish(item)
    ledger.close()
    assert ledger.to_commit() == {}
    assert ledger.hand_out("p", 10, 20) is None


class LedgerModel(RuleBasedStateMachine):
    """One log of 60 offsets and one reader that may crash; the world knows which offsets were truly worked.

    `finished` holds the offsets whose work was confirmed at any time; the broker's committed offset must never pass
    one that is not in it, whatever happens in between.
    """

    END = 60

    def __init__(self) -> None:
        super().__init__()
        self.finished: set[int] = set()
        self.committed = 0
        self.restart()

    def restart(self) -> None:
        self.ledger: Ledger[str] = Ledger()
        self.position = self.committed
        self.epoch = self.ledger.epoch("p")
        self.held: list[tuple[Item[str], bool]] = []

    @precondition(lambda self: self.position < self.END)
    @rule(gap=st.integers(0, 2), size=st.integers(1, 4))
    def hand_out(self, gap: int, size: int) -> None:
        """`gap` offsets carry no record: they count as worked."""
        self.finished.update(range(self.position, self.position + gap))
        first = self.position + gap
        item = self.ledger.hand_out("p", first, first + size, self.epoch)
        self.position = first + size
        if item is not None:
            self.held.append((item, True))

    @precondition(lambda self: self.position < self.END)
    @rule(size=st.integers(1, 4))
    def skip(self, size: int) -> None:
        if self.ledger.skip("p", self.position, self.position + size, self.epoch) is not None:
            self.finished.update(range(self.position, self.position + size))
        self.position += size

    @precondition(lambda self: bool(self.held))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        item, current = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        accepted = self.ledger.finish(item)
        assert accepted == current
        if accepted:
            self.finished.update(range(item.first, item.end))

    @precondition(lambda self: bool(self.held))
    @rule(data=st.data())
    def lose_on_the_way(self, data: st.DataObject) -> None:
        self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))

    @rule()
    def commit(self) -> None:
        offsets, epochs = self.ledger.to_commit(), {"p": self.epoch}
        if offsets:
            self.committed = offsets["p"]
            self.ledger.confirmed(offsets, epochs)

    @rule()
    def seek_to_committed(self) -> None:
        self.ledger.seek("p")
        self.position = self.committed
        self.epoch = self.ledger.epoch("p")
        self.held = [(item, False) for item, _ in self.held]

    @rule()
    def revoke_and_assign_again(self) -> None:
        self.commit()
        self.ledger.revoke("p")
        self.seek_to_committed()

    @rule()
    def crash(self) -> None:
        self.restart()

    @invariant()
    def nothing_unworked_is_committed(self) -> None:
        passed = set(range(self.committed))
        assert passed <= self.finished, f"committed {self.committed} passes {sorted(passed - self.finished)}"

    @invariant()
    def all_worked_in_order_can_be_committed(self) -> None:
        if not self.held and self.ledger.oldest("p") is None:
            assert self.ledger.to_commit().get("p", self.committed) in (self.position, self.committed)


LedgerModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestLedgerModel = LedgerModel.TestCase
