"""Who may change a procedure or service that stands: its owner (H8 of "Hardened", decision 34)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.avro.bodies import BODIES
from hub.avro.document import from_document
from hub.control.records import Organisation
from hub.control.rights import covers
from hub.errors import BadRecord
from hub.events import families
from hub.events.envelope import AUTHAGENCIES, Envelope, read_headers
from hub.ingress.record import Builder
from hub.kafka import topics
from tests.support.codecs import fixed_codec
from tests.support.core import T0, Core, record

CODE = "1.004194"
TYPE = families.PROCEDURE.published
SENDERS = {
    "build": Organisation(name="build", sources=("urn:build",), agencies=("H11.12",)),
    "part": Organisation(name="part", sources=("urn:part",), agencies=("H11.12.3",)),
    "tax": Organisation(name="tax", sources=("urn:tax",), agencies=("H11.45",)),
    "none": Organisation(name="none", sources=("urn:none",), agencies=()),
    "all": Organisation(name="all", sources=("urn:all",), agencies=("*",)),
}


def change(kind: str = "AMENDED", at: int = 0, **facts: Any) -> dict[str, Any]:
    return {"procedure_code": CODE, "change": kind, "occurred_at": T0 + at, **facts}


def sent(core: Core, by: str | None, datum: dict[str, Any], id: str) -> bool:
    """Through the door as that organisation (None: the hub's own connector) and the core; whether it was accepted."""
    organisation = SENDERS[by] if by else None
    source = f"urn:{by}"
    envelope = Envelope(id=id, source=source, type=TYPE, subject="")
    made = from_document(BODIES[families.PROCEDURE.published_record].record, datum)
    try:
        builder = Builder(fixed_codec(), organisation, "2026-11-24T00:00:00.000Z")
        _, value, headers = builder.of_avro(envelope, made, record(datum, id, TYPE).value or b"").line
    except BadRecord:
        return False
    before = len(core.events)
    core.run(record(datum, id, TYPE, source=source, value=value, headers=headers))
    return len(core.events) > before


def entry(core: Core) -> Any:
    return core.events[-1].procedure


def test_a_change_without_an_agency_does_not_overwrite_another_s_entry() -> None:
    core = Core()
    assert sent(core, "build", change("PUBLISHED", name="Cấp phép", agency_code="H11.12"), "1")
    assert not sent(core, "tax", change(at=1, name="Của tôi"), "2")
    assert not sent(core, "part", change(at=2, name="Của tôi"), "3"), "a part has no right to the whole"
    assert not sent(core, "none", change("WITHDRAWN", at=3), "4")
    assert [letter.reason for letter in core.dead] == ["right"] * 3
    assert sent(core, "build", change(at=4, name="Cấp giấy phép"), "5")
    assert sent(core, "all", change(at=5, fee_vnd=1), "6")
    assert sent(core, None, change(at=6, fee_vnd=2), "7"), "the hub's own connector"
    assert (entry(core).name, entry(core).fee_vnd) == ("Cấp giấy phép", 2)


def test_an_entry_without_an_agency_is_of_whoever_published_it() -> None:
    core = Core()
    assert sent(core, "build", change("PUBLISHED", name="Cấp phép"), "1")
    assert not sent(core, "tax", change(at=1, name="Của tôi"), "2")
    assert not sent(core, "tax", change(at=1, name="Của tôi", agency_code="H11.45"), "3"), "nor taken over"
    assert sent(core, "build", change(at=2, agency_code="H11.12"), "4")
    stored = core.state[topics.PROCEDURES, CODE.encode()]
    assert "owner" not in dict(stored.headers), "now the agency decides"
    assert not sent(core, "build", change(at=3, agency_code="H11.45"), "5"), "moved only by who has both"
    assert sent(core, "all", change(at=4, agency_code="H11.45"), "6")
    assert not sent(core, "build", change(at=5, fee_vnd=1), "7")
    assert sent(core, "tax", change(at=6, fee_vnd=1), "8")


def test_an_entry_of_an_older_version_is_changed_by_who_may_do_all() -> None:
    core = Core()
    assert sent(core, "build", change("PUBLISHED", name="Cấp phép"), "1")
    ident = topics.PROCEDURES, CODE.encode()
    old = core.state[ident]
    core.state[ident] = old._replace(headers=[one for one in old.headers if one[0] != "owner"])
    assert not sent(core, "build", change(at=1, name="Cấp giấy phép"), "2")
    assert "older version" in core.dead[-1].detail
    assert sent(core, "all", change(at=2, agency_code="H11.12"), "3")
    assert sent(core, "build", change(at=3, name="Cấp giấy phép"), "4")


def test_what_an_older_gateway_wrote_is_taken() -> None:
    """A record without the sender's agencies stood in hub.ingress before the new program came."""
    core = Core()
    core.run(record(change("PUBLISHED", name="Cấp phép", agency_code="H11.12"), "1", TYPE))
    core.run(record(change(at=1, name="Cấp giấy phép"), "2", TYPE))
    assert not core.dead
    assert AUTHAGENCIES not in read_headers(core.out[-1].headers).extensions


def test_the_event_does_not_carry_the_sender_s_agencies() -> None:
    core = Core()
    assert sent(core, "build", change("PUBLISHED", name="Cấp phép"), "1")
    assert AUTHAGENCIES not in read_headers(core.out[-1].headers).extensions


AGENCIES = st.sampled_from([None, "H11.12", "H11.12.3", "H11.45", "000.00.12.H11"])


@given(st.lists(st.tuples(st.sampled_from(sorted(SENDERS)), AGENCIES), max_size=12))
def test_nobody_without_the_right_changes_another_s_entry(events: list[tuple[str, str | None]]) -> None:
    """The rule written anew: an owner (agency, or sender while there is none), changed only by those whom it admits."""
    core, agency, owner, number = Core(), None, None, 0
    for number, (by, named) in enumerate(events):
        mine = SENDERS[by].agencies
        admitted = named is None or covers(mine, named)
        if number and core.events and "*" not in mine:
            admitted &= covers(mine, agency) if agency else owner == by
        datum = change("PUBLISHED", number, name=f"n{number}", **({"agency_code": named} if named else {}))
        was = bool(core.events)
        assert sent(core, by, datum, str(number)) is admitted, (number, by, named, agency, owner)
        if admitted:
            agency = entry(core).agency_code
            owner = by if not was else owner


def test_services_have_the_same_rule() -> None:
    core = Core()
    datum = {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": T0, "name": "Trực tuyến"}
    kind = families.SERVICE.published
    core.run(record(datum | {"agency_code": "H11.12"}, "1", kind))
    taken = record(datum | {"occurred_at": T0 + 1}, "2", kind)
    core.run(taken._replace(headers=[*taken.headers, (f"ce_{AUTHAGENCIES}", b"H11.45")]))
    assert [letter.reason for letter in core.dead] == ["right"]
