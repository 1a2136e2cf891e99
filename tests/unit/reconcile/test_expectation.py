"""The stored form of an expectation: the same JSON as ever, whatever stands in it."""

from __future__ import annotations

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hub.errors import DecodeError
from hub.events.discrepancy import Discrepancy
from hub.events.discrepancy import dumps as discrepancy_dumps
from hub.events.discrepancy import loads as discrepancy_loads
from hub.reconcile.expectation import Entry, OpenEvent, dumps, loads

WHEN = st.floats(0, 1e10) | st.integers(0, 2**40).map(float)
WHOLE = st.integers(0, 2**62)
OPEN = st.builds(OpenEvent, WHOLE, WHOLE, st.text(max_size=40), WHEN)
ENTRIES = st.builds(
    Entry, WHOLE, st.lists(OPEN, max_size=3), st.lists(WHOLE, max_size=3), WHEN, st.sampled_from(["", "MISSING"]),
    WHEN, WHOLE, WHEN,
)  # fmt: skip


def plain(entry: Entry) -> dict[str, object]:
    """As the version before records had it: a dict for orjson."""
    told = structs.asdict(entry)
    return told | {"open": [list(structs.astuple(one)) for one in entry.open]}


@given(st.dictionaries(st.text(max_size=8), ENTRIES, max_size=3))
def test_is_written_as_ever_and_read_as_written(expectation: dict[str, Entry]) -> None:
    written = dumps(expectation)
    assert orjson.loads(written) == {name: plain(entry) for name, entry in expectation.items()}
    assert loads(written) == expectation
    assert loads(orjson.dumps({name: plain(entry) for name, entry in expectation.items()})) == expectation


def test_the_bytes_are_those_of_hubs_that_run() -> None:
    """Put down by hand from the version before."""
    entry = Entry(2, [OpenEvent(2, 17, "e-2", 1_795_478_400.25)], [5, 6], 0.0, "MISSING", 1_795_478_460.0, 1, 0.0)
    assert dumps({"national": entry}) == (
        b'{"national":{"seen":2,"open":[[2,17,"e-2",1795478400.25]],"early":[5,6],"wait":0.0,"kind":"MISSING",'
        b'"opened":1795478460.0,"heals":1,"healed_at":0.0}}'
    )


def test_what_a_newer_version_says_besides_is_ignored() -> None:
    """The hub may be rolled back."""
    value = b'{"n":{"seen":1,"open":[[1,2,"e",3.5,"later"]],"early":[],"wait":0,"kind":"","later":{"x":1}}}'
    assert loads(value) == {"n": Entry(seen=1, open=[OpenEvent(1, 2, "e", 3.5)])}


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b'{"n":[]}', b'{"n":{"open":[[1,2]]}}', b'{"n":{"seen":"1"}}'])
def test_what_is_none_is_refused(value: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        loads(value)


def test_a_discrepancy_is_written_as_ever_and_a_newer_one_is_read() -> None:
    told = Discrepancy(
        key="H11-1", subscriber="national", kind="MISSING", opened_at=5, detail="no receipt for hub_seq 2"
    )
    plain = {"key": "H11-1", "subscriber": "national", "kind": "MISSING", "opened_at": 5, "healed_at": None}
    assert discrepancy_dumps(told) == orjson.dumps(plain | {"detail": "no receipt for hub_seq 2"})
    assert discrepancy_loads(orjson.dumps(structs.asdict(told) | {"later": [1]})) == told


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"{}", b'{"key":"Nguyen Van A"}'])
def test_what_is_no_discrepancy_is_refused_without_its_value(value: bytes) -> None:
    with pytest.raises(DecodeError, match="no discrepancy") as caught:
        discrepancy_loads(value)
    assert "Nguyen" not in str(caught.value)
