"""The dedupe ring, against a plain list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.core import dedupe
from hub.events import identity


@given(st.lists(st.tuples(st.binary(min_size=8, max_size=8), st.binary(min_size=4, max_size=4)), max_size=80))
def test_it_is_a_list_of_the_last_64(entries):
    kept = b""
    for who, what in entries:
        kept = dedupe.added(kept, who, what)
    assert len(kept) == 12 * min(64, len(entries))
    last = entries[-64:]
    for who, _ in entries:
        first = next((what for known, what in last if known == who), None)
        assert dedupe.find(kept, who) == first


def test_bytes_across_two_entries_are_no_entry():
    kept = dedupe.added(dedupe.added(b"", b"aaaabbbb", b"cccc"), b"ddddeeee", b"ffff")
    assert dedupe.find(kept, b"bbbbcccc") is None
    assert dedupe.find(dedupe.added(kept, b"bbbbcccc", b"gggg"), b"bbbbcccc") == b"gggg"


def test_identity_keeps_source_and_id_apart():
    assert identity.identity("a", "bc") != identity.identity("ab", "c")
