"""CloudEvents on Kafka, binary mode; header names by hand from bindings/kafka-protocol-binding.md, section 3.2."""

from __future__ import annotations

import contextlib
import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadRecord
from hub.events import families
from hub.events.envelope import Envelope, derived_id, read_headers, rfc3339

HEADERS = [
    ("content-type", b"application/avro"),
    ("ce_specversion", b"1.0"),
    ("ce_id", b"a1"),
    ("ce_source", b"urn:vn:h11:mot-cua"),
    ("ce_type", b"vn.hub.dossier.step"),
    ("ce_subject", b"H11.12-231027-0361"),
    ("ce_time", b"2026-11-24T02:00:00.000Z"),
    ("ce_recordedtime", b"2026-11-24T02:00:01.000Z"),
    ("ce_traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("ce_causationid", b"c0"),
]
ENVELOPE = Envelope(
    id="a1",
    source="urn:vn:h11:mot-cua",
    type=families.DOSSIER.published,
    subject="H11.12-231027-0361",
    time="2026-11-24T02:00:00.000Z",
    recordedtime="2026-11-24T02:00:01.000Z",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    causationid="c0",
)
_words = st.text(min_size=1, max_size=30)
_KNOWN = {name[3:] for name, _ in HEADERS}
_names = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12).filter(lambda n: n not in _KNOWN)


def test_headers_are_the_binding_s() -> None:
    assert ENVELOPE.headers() == HEADERS
    assert read_headers(HEADERS) == ENVELOPE


@given(
    st.builds(
        Envelope, id=_words, source=_words, type=_words, subject=st.text(max_size=30), time=st.text(max_size=30),
        recordedtime=st.text(max_size=30), traceparent=st.text(max_size=60), causationid=st.text(max_size=30),
        content_type=_words, hub_seq=st.integers(0, 10**18 - 1),
        extensions=st.dictionaries(_names, st.text(max_size=20), max_size=3),
    )
)  # fmt: skip
def test_round_trip(envelope: Envelope) -> None:
    assert read_headers(envelope.headers()) == envelope


@given(st.lists(st.tuples(st.sampled_from([n for n, _ in HEADERS] + ["hub_seq", "x"]), st.binary(max_size=20))))
def test_any_headers_raise_nothing_but_bad_record(headers: list[tuple[str, bytes]]) -> None:
    with contextlib.suppress(BadRecord):
        read_headers(headers)


@pytest.mark.parametrize("missing", ["ce_id", "ce_source", "ce_type"])
def test_a_missing_attribute_is_named(missing: str) -> None:
    with pytest.raises(BadRecord) as caught:
        read_headers([h for h in HEADERS if h[0] != missing])
    assert (caught.value.reason, caught.value.field) == ("envelope", missing[3:])


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("ce_specversion", b"0.3", "specversion"),
        ("ce_subject", b"\xff\xfe", "ce_subject"),
        ("hub_seq", b"-1", "hub_seq"),
        ("hub_seq", b"", "hub_seq"),
        ("hub_seq", "٣".encode(), "hub_seq"),
        ("hub_seq", b"9" * 5_000, "hub_seq"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: bytes, field: str) -> None:
    with pytest.raises(BadRecord) as caught:
        read_headers([h for h in HEADERS if h[0] != name] + [(name, value)])
    assert caught.value.field == field


def test_a_derived_event_has_the_same_id_each_time() -> None:
    first, again = ENVELOPE.caused(families.DOSSIER.event.type, 3), ENVELOPE.caused(families.DOSSIER.event.type, 3)
    assert first == again
    assert (first.causationid, first.hub_seq, first.source) == ("a1", 3, ENVELOPE.source)
    assert (
        len({first.id, ENVELOPE.caused(families.DOSSIER.event.type, 3, "deadline").id, ENVELOPE.caused("other", 3).id})
        == 3
    )


def test_parts_of_a_derived_id_do_not_run_together() -> None:
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_times_are_utc_with_milliseconds() -> None:
    hanoi = datetime(2026, 11, 24, 9, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=7)))
    assert rfc3339(hanoi) == "2026-11-24T02:00:00.123Z"
    assert rfc3339(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
