"""A state with its headers as one bytes object, as both stores keep it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.stream.packed import pack, unpack
from hub.stream.stage import Stored


@given(st.binary(), st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.binary()), max_size=255))
def test_a_value_and_its_headers_come_back_as_they_were(value: bytes, headers: list[tuple[str, bytes]]):
    before = Stored(value, tuple(headers))
    assert unpack(pack(before)) == before
