"""Who may write on another agency's dossier: whoever holds it, if an operator allowed it (decision 10)."""

from __future__ import annotations

import pytest

from hub.avro.bodies import BODIES
from hub.avro.document import from_document
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.events import families
from hub.events.envelope import AUTHAGENCIES, AUTHID, Envelope, read_headers
from hub.ingress.record import Builder
from tests.support.codecs import fixed_codec
from tests.support.core import CODE, Core, record, step

TAX = Organisation(name="tax", sources=("urn:tax",), agencies=("H11.45", "H11.20"), joint=True)


def admitted(organisation, datum, type=families.DOSSIER.published, **sent):
    envelope = Envelope(id="1", source="urn:tax", type=type, subject="", extensions=sent)
    made = Builder(fixed_codec(), organisation, "2026-11-24T00:00:00.000Z")
    told = from_document(BODIES[families.BY_PUBLISHED[type].published_record].record, datum)
    _, _, headers = made.of_avro(envelope, told, b"").line
    return read_headers(headers).extensions


def test_the_door_lets_a_joint_organisation_s_step_on_another_s_dossier_through_to_be_judged():
    assert admitted(TAX, step("IN_PROCESS", 0)) == {AUTHID: "tax", AUTHAGENCIES: "H11.45 H11.20"}


def test_its_own_dossiers_need_no_judgement():
    assert admitted(TAX, step("IN_PROCESS", 0, "000.00.45.H11-260105-0001")) == {AUTHID: "tax"}
    assert admitted(TAX.model_copy(update={"agencies": ("*",)}), step("IN_PROCESS", 0)) == {AUTHID: "tax"}


@pytest.mark.parametrize("changes", [{"joint": False}, {"agencies": ()}])
def test_anybody_else_is_refused_at_the_door(changes):
    with pytest.raises(BadRecord, match="right"):
        admitted(TAX.model_copy(update=changes), step("IN_PROCESS", 0))


def test_a_catalogue_entry_of_another_agency_is_refused_as_ever():
    datum = {"procedure_code": "1.004194", "change": "PUBLISHED", "occurred_at": 1, "agency_code": "H11.12"}
    with pytest.raises(BadRecord, match="right"):
        admitted(TAX, datum, families.PROCEDURE.published)


def test_what_a_sender_says_of_its_agencies_is_dropped():
    assert admitted(TAX, step("IN_PROCESS", 0, "H11.45-260105-0001"), authagencies="H11.12") == {AUTHID: "tax"}
    said = admitted(TAX, step("IN_PROCESS", 0), authagencies="*")
    assert said[AUTHAGENCIES] == "H11.45 H11.20"


def from_tax(datum, event_id, agencies="H11.45 H11.20"):
    made = record(datum, event_id, source="urn:tax")
    return made._replace(headers=[*made.headers, (f"ce_{AUTHAGENCIES}", agencies.encode())])


def test_the_holder_s_step_is_taken_and_its_event_does_not_carry_the_sender_s_agencies():
    core = Core().steps(step("RECEIVED", 0), step("TRANSFERRED", 1, transferred_to="H11.45.2"))
    core.run(from_tax(step("IN_PROCESS", 2), "t1"))
    assert not core.dead
    assert core.events[-1].hub_seq == 3
    assert AUTHAGENCIES not in read_headers(core.out[-1].headers).extensions


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([], id="no such dossier"),
        pytest.param([step("RECEIVED", 0, agency_code="H11.45", receiving_agency_code="H11.45")], id="never passed on"),
        pytest.param([step("TRANSFERRED", 0, transferred_to="H11.1")], id="passed on to another"),
        pytest.param([step("TRANSFERRED", 0, transferred_to="H11")], id="passed on to the one above"),
    ],
)
def test_whoever_does_not_hold_it_is_refused_and_nothing_changes(before):
    core = Core().steps(*before)
    state = dict(core.state)
    core.run(from_tax(step("TRANSFERRED", 5, transferred_to="H11.45"), "t1"))
    (letter,) = core.dead
    assert (letter.stage, letter.reason, letter.field) == ("core", "right", "dossier_code")
    assert core.state == state


def test_after_passing_it_on_a_new_step_is_refused_and_a_repetition_is_a_copy():
    core = Core().steps(step("TRANSFERRED", 0, transferred_to="H11.45"))
    core.run(from_tax(step("IN_PROCESS", 1), "t1"))
    core.run(from_tax(step("TRANSFERRED", 2, transferred_to="H11.12"), "t2"))
    core.run(from_tax(step("IN_PROCESS", 1), "t1"), from_tax(step("FINISHED", 3), "t3"))
    assert [e.step.step for e in core.events] == ["TRANSFERRED", "IN_PROCESS", "TRANSFERRED"]
    assert [letter.event_id for letter in core.dead] == ["t3"]
    assert core.dossier(CODE).holder_agency_code == "H11.12"


def test_what_came_before_the_transfer_can_be_sent_again_after_it():
    core = Core().steps(step("RECEIVED", 0))
    core.run(from_tax(step("IN_PROCESS", 2), "t1"))
    core.run(record(step("TRANSFERRED", 1, transferred_to="H11.45"), "late"))
    core.run(from_tax(step("IN_PROCESS", 2), "t1"))
    assert len(core.dead) == 1
    assert len(core.events) == 3
