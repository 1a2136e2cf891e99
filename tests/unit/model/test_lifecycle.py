"""The lifecycle: lawful and unlawful pairs by hand, and what holds for every history."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.avro.generic import schema_json
from hub.errors import BadRecord
from hub.model import lifecycle, step_history
from hub.model.transitions import NEUTRAL, STATUS_OF_STEP, STATUSES, STEPS, TRANSITIONS, WAITS

T = 1_767_571_200_000

# a step, and every step that must not come later in the dossier unless as a correction. Worked out by hand from the
# meaning of the codes in docs/field/statuses.md.
NOT_AFTER = {
    "SUBMITTED": "",
    "RECEIVED": "SUBMITTED",
    "IN_PROCESS": "SUBMITTED",
    "TRANSFERRED": "",
    "SUPPLEMENT_REQUESTED": "",
    "SUPPLEMENT_GIVEN": "",
    "PAYMENT_REQUESTED": "",
    "PAYMENT_MADE": "",
    "RESCHEDULED": "SUBMITTED",  # a date was promised, so it had been received
    "NOT_ACCEPTED": "SUBMITTED RECEIVED IN_PROCESS TRANSFERRED SUPPLEMENT_REQUESTED SUPPLEMENT_GIVEN PAYMENT_REQUESTED "
    "PAYMENT_MADE RESCHEDULED WITHDRAWN STOPPED FINISHED",
    "WITHDRAWN": "SUBMITTED RECEIVED IN_PROCESS TRANSFERRED SUPPLEMENT_REQUESTED SUPPLEMENT_GIVEN PAYMENT_REQUESTED "
    "PAYMENT_MADE RESCHEDULED NOT_ACCEPTED FINISHED",
    "STOPPED": "SUBMITTED RECEIVED IN_PROCESS TRANSFERRED SUPPLEMENT_REQUESTED SUPPLEMENT_GIVEN PAYMENT_REQUESTED "
    "PAYMENT_MADE RESCHEDULED NOT_ACCEPTED WITHDRAWN FINISHED",
    "FINISHED": "SUBMITTED RECEIVED IN_PROCESS SUPPLEMENT_REQUESTED SUPPLEMENT_GIVEN NOT_ACCEPTED WITHDRAWN STOPPED",
    "RETURNED": "SUBMITTED RECEIVED IN_PROCESS TRANSFERRED SUPPLEMENT_REQUESTED SUPPLEMENT_GIVEN PAYMENT_REQUESTED "
    "PAYMENT_MADE RESCHEDULED NOT_ACCEPTED WITHDRAWN STOPPED FINISHED",
    "RATED": "",
}

UNSURE = ("SUPPLEMENT_GIVEN", "PAYMENT_MADE", "TRANSFERRED", "RESCHEDULED")
"""They do not tell where the dossier rests."""


def key(step, day=0, correction=False, low=0):
    return step_history.order_key(T + day * 1000, step, correction, low)


def told(*keys, keep=16):
    """Final history after these arrive in this order."""
    known = step_history.History()
    for k in keys:
        known = known.add(k, keep).history
    return known


def status(known):
    return STATUSES[known.tail.status]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(STEPS, STEPS)))
def test_every_pair_of_steps(first, second):
    unlawful = second in NOT_AFTER[first].split()
    if not unlawful:
        told(key(first, 0), key(second, 1))
        told(key(second, 1), key(first, 0))
        return
    for order in ((key(first, 0), key(second, 1)), (key(second, 1), key(first, 0))):
        with pytest.raises(BadRecord) as caught:
            told(*order)
        assert caught.value.reason == "transition"
        for step in (first, second):  # both states are named
            assert f"{step} (state {STATUS_OF_STEP[step]}" in caught.value.detail


def test_any_step_may_be_the_first():
    for step in STEPS:
        expected = STATUS_OF_STEP.get(step, "UNKNOWN")
        assert status(told(key(step))) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("SUBMITTED RECEIVED IN_PROCESS FINISHED RETURNED RATED", "NEW ACCEPTED IN_PROCESS FINISHED RETURNED RETURNED"),
        ("SUBMITTED SUPPLEMENT_REQUESTED SUPPLEMENT_GIVEN RECEIVED", "NEW SUPPLEMENT NEW ACCEPTED"),
        ("RECEIVED SUPPLEMENT_REQUESTED SUPPLEMENT_GIVEN", "ACCEPTED SUPPLEMENT IN_PROCESS"),
        ("SUBMITTED PAYMENT_REQUESTED PAYMENT_MADE RECEIVED PAYMENT_MADE", "NEW PAYMENT NEW ACCEPTED IN_PROCESS"),
        ("FINISHED PAYMENT_REQUESTED PAYMENT_MADE RETURNED", "FINISHED PAYMENT FINISHED RETURNED"),
        ("IN_PROCESS TRANSFERRED RECEIVED", "IN_PROCESS IN_PROCESS IN_PROCESS"),
        ("SUBMITTED NOT_ACCEPTED RETURNED", "NEW NOT_ACCEPTED RETURNED"),
        ("PAYMENT_REQUESTED PAYMENT_MADE WITHDRAWN STOPPED", "PAYMENT IN_PROCESS WITHDRAWN STOPPED"),
        ("SUBMITTED RETURNED", "NEW RETURNED"),
        ("RECEIVED RESCHEDULED IN_PROCESS RESCHEDULED", "ACCEPTED ACCEPTED IN_PROCESS IN_PROCESS"),
        ("IN_PROCESS SUPPLEMENT_REQUESTED RESCHEDULED SUPPLEMENT_GIVEN", "IN_PROCESS SUPPLEMENT SUPPLEMENT IN_PROCESS"),
        ("RECEIVED PAYMENT_REQUESTED RESCHEDULED PAYMENT_MADE", "ACCEPTED PAYMENT PAYMENT IN_PROCESS"),
        ("IN_PROCESS FINISHED RESCHEDULED RETURNED", "IN_PROCESS FINISHED FINISHED RETURNED"),
        ("FINISHED PAYMENT_REQUESTED RESCHEDULED PAYMENT_MADE", "FINISHED PAYMENT PAYMENT FINISHED"),
        ("RESCHEDULED PAYMENT_REQUESTED PAYMENT_MADE", "IN_PROCESS PAYMENT IN_PROCESS"),
        ("SUBMITTED RESCHEDULED RECEIVED", "NEW NEW ACCEPTED"),  # the receipt was left out, then told
        # A transfer moves the holder, not the status: who waits for the applicant goes on waiting.
        ("IN_PROCESS SUPPLEMENT_REQUESTED TRANSFERRED SUPPLEMENT_GIVEN", "IN_PROCESS SUPPLEMENT SUPPLEMENT IN_PROCESS"),
        ("RECEIVED PAYMENT_REQUESTED TRANSFERRED PAYMENT_MADE", "ACCEPTED PAYMENT PAYMENT IN_PROCESS"),
        ("SUBMITTED PAYMENT_REQUESTED TRANSFERRED PAYMENT_MADE", "NEW PAYMENT PAYMENT NEW"),
        ("FINISHED PAYMENT_REQUESTED TRANSFERRED PAYMENT_MADE", "FINISHED PAYMENT PAYMENT FINISHED"),
        ("SUPPLEMENT_REQUESTED TRANSFERRED SUPPLEMENT_GIVEN", "SUPPLEMENT SUPPLEMENT IN_PROCESS"),
        # Without the wait the transfer had made it IN_PROCESS; a receipt after it is the joint agency's.
        ("RECEIVED SUPPLEMENT_REQUESTED TRANSFERRED RECEIVED", "ACCEPTED SUPPLEMENT SUPPLEMENT IN_PROCESS"),
    ],
)
def test_status_after_each_step(steps, expected):
    known, found = step_history.History(), []
    for day, step in enumerate(steps.split()):
        judged = known.add(key(step, day), 16)
        known = judged.history
        found.append(STATUSES[judged.status])
    assert found == expected.split()


def test_a_late_step_does_not_turn_the_state_back():
    known = told(key("RECEIVED", 1), key("FINISHED", 5))
    judged = known.add(key("IN_PROCESS", 3), 16)
    assert (judged.late, STATUSES[judged.status], status(judged.history)) == (True, "IN_PROCESS", "FINISHED")


def test_a_step_before_a_mere_rating_is_not_late():
    judged = told(key("FINISHED", 1), key("RATED", 5)).add(key("RETURNED", 3), 16)
    assert (judged.late, status(judged.history)) == (False, "RETURNED")


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_two_of_one_kind_at_one_time_are_not_late_whichever_came_first(first, second):
    known = told(key("IN_PROCESS", 3, low=first))
    assert not known.add(key("IN_PROCESS", 3, low=second), 16).late


def test_since_is_the_time_the_status_was_taken():
    known = told(key("RECEIVED", 1), key("IN_PROCESS", 2), key("IN_PROCESS", 7))
    assert known.tail.since == T + 2000
    assert known.add(key("IN_PROCESS", 1), 16).history.tail.since == T + 1000


def test_a_new_date_told_after_the_return_reopens_only_as_a_correction():
    assert status(told(key("RETURNED", 1), key("RESCHEDULED", 2, correction=True))) == "IN_PROCESS"
    with pytest.raises(BadRecord, match="RETURNED"):
        told(key("RETURNED", 1), key("RESCHEDULED", 2))


def test_a_new_date_and_the_end_on_one_day_that_is_all_the_source_knows():
    for order in itertools.permutations([key("RESCHEDULED"), key("FINISHED"), key("RETURNED"), key("RECEIVED")]):
        assert status(told(*order)) == "RETURNED"


def test_a_transfer_while_it_waits_does_not_begin_the_wait_anew():
    known = told(key("RECEIVED", 1), key("PAYMENT_REQUESTED", 2), key("TRANSFERRED", 7))
    assert (status(known), known.tail.since) == ("PAYMENT", T + 2000)


def test_a_transfer_sent_as_a_correction_ends_the_wait_as_every_correction_does():
    assert status(told(key("PAYMENT_REQUESTED", 1), key("TRANSFERRED", 2, correction=True))) == "IN_PROCESS"


def test_a_correction_turns_back_and_opens_the_way():
    known = told(key("RETURNED", 1), key("IN_PROCESS", 5, correction=True), key("FINISHED", 6))
    assert status(known) == "FINISHED"
    with pytest.raises(BadRecord):  # but not for the time before it
        known.add(key("IN_PROCESS", 3), 16)


def test_a_correction_must_fit_what_follows_it():
    with pytest.raises(BadRecord):
        told(key("IN_PROCESS", 5), key("RETURNED", 3, correction=True))


def test_a_corrected_rating_corrects_no_state():
    known = told(key("RETURNED", 1), key("RATED", 2, correction=True))
    with pytest.raises(BadRecord):
        known.add(key("IN_PROCESS", 3), 16)


def test_beyond_the_bound_a_step_is_accepted_as_late_unjudged():
    known = told(*(key("IN_PROCESS", day) for day in range(5, 10)), keep=3)
    judged = known.add(key("RETURNED", 1), 3)
    assert (judged.late, STATUSES[judged.status]) == (True, "RETURNED")
    assert judged.history == known


def test_what_is_beyond_the_bound_still_bars():
    known = told(key("FINISHED", 1), *(key("RATED", day) for day in range(2, 8)), keep=3)
    with pytest.raises(BadRecord):
        known.add(key("IN_PROCESS", 9), 3)


# --- properties --------------------------------------------------------------------------------------------------


@st.composite
def lawful(draw, corrections=False, most=9):
    """A history by a walk on the transition table, in event time, often with equal times."""
    at, day = "NEW", 0
    keys: list[bytes] = []
    for number in range(draw(st.integers(1, most))):
        if corrections and keys and draw(st.integers(0, 4)) == 0:
            step = draw(st.sampled_from([s for s in STEPS if s not in NEUTRAL]))
            day += 1
            keys.append(key(step, day, True, number))
            at = STATUS_OF_STEP[step] if STATUS_OF_STEP[step] not in WAITS else "IN_PROCESS"
            # what an answer rests at is not sure after a correction: go on only from plain statuses
            if STATUS_OF_STEP[step] in WAITS or step in UNSURE:
                break
            day += 1
            continue
        if draw(st.integers(0, 9)) == 0:
            keys.append(key("RATED", day, False, number))
            continue
        transition = draw(st.sampled_from([t for t in TRANSITIONS if t.at == at]))
        at = at if transition.to in WAITS else transition.to
        keys.append(key(transition.step, day, False, number))
        day += draw(st.integers(0, 2))
    return keys


@settings(max_examples=300)
@given(lawful(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_is_accepted_and_ends_the_same(keys, random):
    shuffled = keys[:]
    random.shuffle(shuffled)
    assert told(*shuffled) == told(*sorted(keys))


@settings(max_examples=200)
@given(lawful(), st.randoms(use_true_random=False), st.data())
def test_any_part_of_a_lawful_history_is_lawful(keys, random, data):
    part = [k for k in keys if data.draw(st.booleans())]
    random.shuffle(part)
    told(*part)


@settings(max_examples=300)
@given(lawful(corrections=True))
def test_with_corrections_in_order_and_reversed(keys):
    ordered = sorted(keys)
    assert told(*ordered) == told(*reversed(ordered))


@settings(max_examples=200)
@given(lawful(most=30), st.randoms(use_true_random=False), st.integers(2, 6))
def test_beyond_the_bound_nothing_lawful_is_refused_and_the_state_is_that_of_the_newest(keys, random, keep):
    shuffled = keys[:]
    random.shuffle(shuffled)
    known = told(*shuffled, keep=keep)
    assert known.keys == tuple(sorted(keys))[-keep:]


@given(lawful(corrections=True, most=30), st.integers(2, 16))
def test_pack_round_trip(keys, keep):
    known = told(*sorted(keys), keep=keep)
    assert step_history.unpack(known.pack()) == known


def test_unpack_refuses_another_version():
    with pytest.raises(ValueError, match="version 9"):
        step_history.unpack(b"\x09" + step_history.History().pack()[1:])


# Written by the program before RESCHEDULED came, by hand: version 1, flag "dropped", then mask, rest, status and since
# of what was dropped (RECEIVED and RATED: bits 1 and 13; ACCEPTED is status 1), then keys by the kinds' old numbers.
OLD_KINDS = ("SUBMITTED", "RECEIVED", "IN_PROCESS", "TRANSFERRED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN",
             "PAYMENT_REQUESTED", "PAYMENT_MADE", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED",
             "RATED")  # fmt: skip


def old_key(step, day, correction=False, low=0):
    return (T + day * 1000) << 21 | correction << 20 | OLD_KINDS.index(step) << 16 | low


def test_a_history_stored_before_rescheduled_is_read_as_it_was_meant():
    keys = [
        old_key("IN_PROCESS", 2, low=7),
        old_key("FINISHED", 3),
        old_key("IN_PROCESS", 4, True),
        old_key("FINISHED", 5),
    ]
    raw = struct.pack("<BBHBBq", 1, 1, 1 << 1 | 1 << 13, 1, 1, T) + struct.pack("<4q", *keys)
    known = step_history.unpack(raw)
    assert known == step_history.unpack(known.pack())
    assert known.pack()[0] == 2
    meant = [key("IN_PROCESS", 2, low=7), key("FINISHED", 3), key("IN_PROCESS", 4, True), key("FINISHED", 5)]
    assert known.keys == tuple(meant)
    assert (status(known), known.tail.since) == ("FINISHED", T + 5000)
    with pytest.raises(BadRecord, match="FINISHED"):
        known.add(key("RECEIVED", 4), 16)
    assert known.base.mask == 1 << lifecycle.STEP_RANK["RECEIVED"] | 1 << lifecycle.STEP_RANK["RATED"]


@pytest.mark.parametrize("step", OLD_KINDS)
def test_keys_stored_before_rescheduled_get_their_kind_s_new_number(step):
    assert step_history.renumbered(old_key(step, 3, True, 9)) == key(step, 3, True, 9)


# --- the data ----------------------------------------------------------------------------------------------------


def test_steps_and_statuses_are_those_of_the_schemas():
    symbols = schema_json("vn.hub.StepKind")["symbols"]
    assert {*STEPS, "UNKNOWN"} == set(symbols)
    assert list(STATUSES) == schema_json("vn.hub.DossierStatus")["symbols"]


def test_every_transition_is_named_has_a_source_and_is_unique():
    assert all(t.name and t.source and t.at not in WAITS and t.to in STATUSES for t in TRANSITIONS)
    assert len({(t.at, t.step) for t in TRANSITIONS}) == len(TRANSITIONS)


def test_steps_of_one_millisecond_have_an_order_that_is_lawful_whenever_one_is():
    for a, b in itertools.product(STEPS, STEPS):
        lawful_so = not lifecycle.BARRED_BEFORE[lifecycle.STEP_RANK[b]] >> lifecycle.STEP_RANK[a] & 1
        if lawful_so:
            told(key(a, 0), key(b, 0))


def test_the_diagram_in_the_docs_is_the_code_s():
    text = (Path(__file__).parents[3] / "docs" / "lifecycle.md").read_text()
    assert lifecycle.mermaid() in text


def test_history_fits_its_bound():
    assert len(told(*(key("IN_PROCESS", day) for day in range(40))).pack()) == 14 + 16 * 8
