"""A subscriber's filter: read in either form of a code, refused where it can admit nothing, the same for reconcile."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.admin import subscribers
from hub.config import ReconcileSettings, Settings
from hub.connect.portal import make_portal
from hub.control import subscriber_filter
from hub.control.directory import Directory
from hub.control.records import Filter, Subscriber
from hub.delivery.entries import Raw
from hub.delivery.event_decoder import Decoder
from hub.delivery.role import warn_of_filter
from hub.errors import ConfigError
from hub.events import families
from hub.kafka import topics
from hub.reconcile.role import DueRule
from hub.reconcile.watch import Watch
from hub.stream.stage import Record
from tests.support.codecs import fixed_codec
from tests.support.events import dossier_event, stands

CODEC = fixed_codec()
CODE = "H11.12-231114-0001"
EVERY = ("dossier", "procedure", "service", "deadline")
WEBHOOK = {
    "name": "portal", "kind": "webhook", "settings": {"url": "https://127.0.0.1/x", "allow_loopback": True},
    "secrets": {"signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
}  # fmt: skip


def refusal(wanted: Filter, families: tuple[str, ...] = EVERY) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        subscriber_filter.check(wanted, families)
    return caught.value


def test_a_filter_in_the_old_form_admits_the_office_however_deep_it_lies() -> None:
    """`001.00.12.H11` and `H11.12.00.001` are one office; the zeros between are a level of their own."""
    data = stands("RECEIVED", agency_code="H11.12.00.001")
    assert subscriber_filter.due(Filter(agencies=("001.00.12.H11",)), families.DOSSIER.event.type, data)
    assert subscriber_filter.due(Filter(agencies=("H11.12.00.001",)), families.DOSSIER.event.type, data)
    assert not subscriber_filter.due(Filter(agencies=("H11.12.001",)), families.DOSSIER.event.type, data)


@pytest.mark.parametrize("agency", ["*", "h11 12", "", "Phan Thiết", "H11.*", "11.H12"])
def test_an_agency_that_can_admit_nothing_is_refused(agency: str) -> None:
    error = refusal(Filter(agencies=("H11", agency)))
    assert error.field == "filter.agencies"
    assert "must be an agency code as H11.12 or 000.00.12.H11" in str(error)
    assert repr(agency) in str(error)
    assert "give no agency to admit all" in str(error)


@pytest.mark.parametrize("procedure", ["*", "1.00419", "1004194", "", "1.004194.01"])
def test_a_procedure_that_can_admit_nothing_is_refused(procedure: str) -> None:
    error = refusal(Filter(procedures=("1.004194", procedure)))
    assert error.field == "filter.procedures"
    assert "must be a procedure code as 1.004194" in str(error)
    assert repr(procedure) in str(error)
    assert "give no procedure to admit all" in str(error)


@pytest.mark.parametrize("word", ["*", "received", "UNKNOWN", "vn.hub.dossier.step", "", "ACCEPTED"])
def test_a_type_that_can_admit_nothing_is_refused(word: str) -> None:
    """A status (ACCEPTED) is no step; agencies send vn.hub.dossier.step, the hub publishes vn.hub.dossier.event."""
    error = refusal(Filter(types=("RECEIVED", word)))
    assert error.field == "filter.types"
    assert repr(word) in str(error)
    assert "vn.hub.dossier.event" in str(error)
    assert "RECEIVED" in str(error)
    assert "give no type to admit all" in str(error)


@pytest.mark.parametrize(
    ("word", "families", "good"),
    [
        ("RECEIVED", ("dossier",), True),
        ("PUBLISHED", ("dossier",), False),
        ("PUBLISHED", ("dossier", "procedure"), True),
        ("WITHDRAWN", ("dossier",), True),  # the dossier's; a procedure's change has the same word
        ("WITHDRAWN", ("service",), True),
        ("WARNING", ("dossier", "procedure", "service"), False),
        ("TRANSFER_DUE", EVERY, True),
        ("vn.hub.dossier.deadline", ("dossier",), False),
        ("vn.hub.service.event", ("service",), True),
    ],
)
def test_a_type_that_the_connector_is_never_given_is_refused(word: str, families: tuple[str, ...], good: bool) -> None:
    if good:
        subscriber_filter.check(Filter(types=(word,)), families)
        return
    error = refusal(Filter(types=(word,)), families)
    assert error.field == "filter.types"
    assert repr(word) in str(error)
    assert f"takes only {', '.join(families)} events" in str(error)


def test_what_can_admit_something_is_taken_and_kept_in_the_new_form() -> None:
    values = WEBHOOK | {"filter": {"agencies": ["001.00.12.H11", " h11.05 ", "H11.12.00.001"]}}
    made = subscribers.checked(values, Settings())
    assert made.filter.agencies == ("H11.12.00.001", "H11.05")
    everything = {
        "agencies": ["0106001236"],
        "procedures": ["1.004194"],
        "types": ["RECEIVED", families.DOSSIER.event.type],
    }
    assert subscribers.checked(WEBHOOK | {"filter": everything}, Settings()).filter == Filter(**everything)


def test_a_new_subscriber_s_filter_is_judged_by_what_its_connector_takes() -> None:
    with pytest.raises(ConfigError) as caught:
        subscribers.checked(WEBHOOK | {"filter": {"types": ["vn.hub.dossier.deadline"]}}, Settings())
    assert (caught.value.field, "takes only dossier, procedure, service" in str(caught.value)) == ("filter.types", True)


def stored(**wanted: Any) -> Subscriber:
    """As the version before this rule wrote it into hub.control."""
    old = {**WEBHOOK, "created_at": "2026-11-01T00:00:00Z", "filter": wanted}
    copy = Directory(Settings())
    copy._apply("subscriber", "portal", json.dumps(old).encode())
    return copy.subscribers["portal"]


def test_a_control_record_from_before_is_read_in_the_new_form() -> None:
    found = stored(agencies=["001.00.12.H11", "000.00.05.H11"], procedures=["1.004194"], types=["RECEIVED"])
    wanted = Filter(agencies=("H11.12.00.001", "H11.05"), procedures=("1.004194",), types=("RECEIVED",))
    assert found.filter == wanted
    assert found.filter.agencies == ("H11.12.00.001", "H11.05")


def test_an_organisation_s_record_from_before_is_read_in_the_new_form() -> None:
    copy = Directory(Settings())
    copy._apply("organisation", "a", b'{"name": "a", "agencies": ["001.00.12.H11", "*"]}')
    assert copy.organisations["a"].agencies == ("H11.12.00.001", "*")


def test_an_old_filter_that_admits_nothing_still_admits_nothing_and_the_role_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is not opened by itself: what a portal never got, it does not get because the hub was updated."""
    found = stored(agencies=["*", "h11 12"])
    data = stands("RECEIVED", agency_code="H11.12")
    assert found.filter.agencies == ("*", "h11 12")
    assert not subscriber_filter.due(found.filter, families.DOSSIER.event.type, data)
    with caplog.at_level(logging.WARNING):
        warn_of_filter(found, EVERY)
    assert [("'*'" in line, "'h11 12'" in line) for line in caplog.messages] == [(True, False), (False, True)]
    for line in caplog.messages:
        assert line.startswith("portal: filter.agencies: must be an agency code")
        assert line.endswith("(hub subscribers change portal)")


def test_an_old_filter_that_admits_nothing_does_not_bar_other_changes() -> None:
    """A leaked secret is rotated at once, whatever stands in the filter."""
    values = stored(agencies=["*"]).model_dump() | {"title": "Cổng tỉnh"}
    assert subscribers.checked(values, Settings(), filter_too=False).title == "Cổng tỉnh"
    with pytest.raises(ConfigError, match=r"filter\.agencies"):
        subscribers.checked(values, Settings())


# --- reconcile asks the same rule ---

PLACES = ["H11", "H11.12", "H11.12.00.001", "H11.12.001", "H36", "0106001236"]
WRITTEN = [*PLACES, "000.00.12.H11", "001.00.12.H11", "000.00.00.H36", "*", "h11 12"]


DECODER = Decoder(CODEC)


def _subscriber(wanted: Filter) -> Subscriber:
    return Subscriber(name="tax", kind="kafka-topic", filter=wanted, created_at=datetime(2020, 1, 1, tzinfo=UTC))


def event(**facts: Any) -> Record:
    key, value, headers = dossier_event(CODEC, CODE, 1, **facts)
    return Record(topics.EVENTS, 0, 1, 0, key, value, headers)


def delivered(subscriber: Subscriber, told: Record) -> bool:
    raw = Raw(told.topic, told.partition, told.offset, told.timestamp_ms, told.key, told.value, told.headers)
    return DECODER.due_entry(raw, subscriber.filter, tuple(make_portal(subscriber).families)) is not None


class Nothing:
    """A partition without state."""

    def get(self, store: str, key: bytes) -> None:
        return None

    def keys(self, store: str) -> Iterable[bytes]:
        return ()

    def waiting(self, store: str) -> Iterable[bytes]:
        return ()


def expected(subscriber: Subscriber, told: Record) -> bool:
    watch = Watch(CODEC, ReconcileSettings(), lambda: {subscriber.name: subscriber}, DueRule(), lambda: 1_000.0)
    out = watch.step([told], Nothing())
    assert out.records == []
    return (topics.EXPECTATIONS, CODE.encode()) in out.state


def test_reconcile_expects_the_events_of_an_office_that_the_filter_names_in_the_old_form() -> None:
    told = event(agency_code="H11.12.00.001")
    for wanted, due in ((("001.00.12.H11",), True), (("H11.12.00.001",), True), (("000.00.05.H11",), False)):
        subscriber = _subscriber(Filter(agencies=wanted))
        assert (delivered(subscriber, told), expected(subscriber, told)) == (due, due), wanted


@given(
    st.builds(
        Filter,
        agencies=st.lists(st.sampled_from(WRITTEN), max_size=2).map(tuple),
        procedures=st.lists(st.sampled_from(["1.004194", "1.00419"]), max_size=1).map(tuple),
        types=st.lists(
            st.sampled_from(["RECEIVED", "IN_PROCESS", families.DOSSIER.event.type, "received"]), max_size=1
        ).map(tuple),
    ),
    st.sampled_from(PLACES),
    st.sampled_from([None, *PLACES]),
    st.sampled_from([None, "1.004194", "1.004194.000.00.00.H11"]),
)
def test_reconcile_expects_what_delivery_delivers(
    wanted: Filter, competent: str, receiving: str | None, procedure: str | None
) -> None:
    told = event(agency_code=competent, receiving_agency_code=receiving, procedure_code=procedure)
    subscriber = _subscriber(wanted)
    assert expected(subscriber, told) == delivered(subscriber, told)
