"""Refused callers are told to the audit, within bounds."""

from __future__ import annotations

from hub.gateway.refusals import ADDRESSES, ALL_MINUTE, EACH_MINUTE, Refusals


def test_ten_a_minute_for_an_address_and_the_next_entry_tells_the_rest() -> None:
    one = Refusals()
    assert [one.admit("a", 30.0) for _ in range(EACH_MINUTE + 5)] == [0] * EACH_MINUTE + [None] * 5
    assert one.admit("b", 31.0) == 0
    assert one.admit("a", 61.0) == 5
    assert one.admit("a", 62.0) == 0


def test_many_addresses_are_bounded_together_and_in_memory() -> None:
    one = Refusals()
    told = [one.admit(f"a{n}", 5.0) for n in range(ADDRESSES * 2)]
    assert told.count(0) == ALL_MINUTE
    assert len(one._seen) == ADDRESSES
