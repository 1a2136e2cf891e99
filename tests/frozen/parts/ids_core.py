"""A3: ids that the core derives: of canonical events, and of the clock's questions."""

from __future__ import annotations

from typing import Any

from hub.config import DeadlineSettings, Settings
from hub.core.deadline_clock import Clock, runs
from hub.core.step import make_step
from hub.events import families
from hub.events.envelope import Envelope, derived_id, read_headers
from hub.kafka.topics import INGRESS
from hub.stream.stage import Record
from tests.frozen.inputs import fixed
from tests.frozen.inputs.state import State

CODE = "H11.07-260302-0021"
HOUR = 3_600_000
T = 1_772_413_200_000
"""2026-03-02T08:00+07:00."""

DUE = 1_775_210_400_000
"""2026-04-03T17:00+07:00."""

STEPS: list[dict[str, Any]] = [
    {"step": "RECEIVED", "occurred_at": T, "agency_code": "H11.07", "due_at": DUE},
    {"step": "TRANSFERRED", "occurred_at": T + 24 * HOUR, "transferred_to": "H11.05", "step_due_at": T + 177 * HOUR},
    {"step": "TRANSFERRED", "occurred_at": T + 176 * HOUR, "transferred_to": "H11.06", "step_due_at": DUE - 48 * HOUR},
    {"step": "SUPPLEMENT_REQUESTED", "occurred_at": T + 200 * HOUR},
    {"step": "SUPPLEMENT_GIVEN", "occurred_at": T + 248 * HOUR},
]
HEAD = [
    ("content-type", b"application/avro"),
    ("ce_specversion", b"1.0"),
    ("ce_source", b"urn:vn:gov:H11.07:motcua"),
    ("ce_authid", b"motcua"),
]


def outputs() -> dict[str, Any]:
    with fixed.moment():
        return {
            "derived": _derived(),
            "canonical_events": {
                type: _caused(type)
                for type in (families.DOSSIER.event.type, families.PROCEDURE.event.type, families.SERVICE.event.type)
            },
            "clock": _clock(),
        }


def _derived() -> dict[str, str]:
    """The function itself."""
    parts = [("a",), ("a", "b"), ("ab",), ("a", "", "b"), ("Hồ sơ", "Phan Thiết"), ("deadline", CODE, str(DUE), "DUE")]
    return {" / ".join(part): derived_id(*part) for part in parts}


def _caused(type: str) -> dict[str, Any]:
    """Of one event from an agency. The short way is gone; what stands for it are the headers that the core makes from
    those of the record."""
    cause = Envelope(
        "e-1", "urn:vn:gov:H11.07:motcua", families.DOSSIER.published, CODE, time="2026-03-02T01:15:00.000Z",
        recordedtime="2026-03-02T01:15:01.000Z", traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )  # fmt: skip
    whole, short = cause.caused(type, 7).headers(), read_headers(cause.headers()).caused(type, 7).headers()
    return {"whole": fixed.texts(whole), "short_is_the_same": whole == short, "deadline": _deadline(cause)}


def _deadline(cause: Envelope) -> str:
    return cause.caused(families.DEADLINE.type, 7).id


def _clock() -> dict[str, Any]:
    """A dossier that is passed on twice and waits once: what the clock asks after each step, days on; and what comes
    of a question that goes through the step."""
    codec, state = fixed.codec(), State(runs)
    clock = Clock(codec, DeadlineSettings())
    step = clock.watching(make_step(codec, Settings()))
    out: dict[str, Any] = {}
    for number, told in enumerate(STEPS):
        state.take(step([_record(number, told)], state))
        after = (STEPS[number + 1]["occurred_at"] if number + 1 < len(STEPS) else DUE + 200 * HOUR) / 1000
        asked = state.take(clock.tick(0, state, after)).records
        out[f"after {number} {told['step']}"] = [_question(one) for one in asked]
        for offset, one in enumerate(asked, 100):
            record = Record(INGRESS, 0, offset, int(after * 1000), one.key, one.value, list(one.headers))
            answered = state.take(step([record], state)).records
            out[f"after {number} {told['step']}"] += [_told(event) for event in answered]
    return out


def _record(number: int, told: dict[str, Any]) -> Record:
    value = fixed.codec().encode("vn.hub.DossierStep", {"dossier_code": CODE, **told})
    headers = [*HEAD, ("ce_id", f"e{number}".encode()), ("ce_type", families.DOSSIER.published.encode()),
               ("ce_subject", CODE.encode()), ("ce_recordedtime", b"2026-03-02T01:15:01.000Z")]  # fmt: skip
    return Record(INGRESS, 0, number, told["occurred_at"], CODE.encode(), value, headers)


def _question(one: Any) -> dict[str, Any]:
    datum = fixed.codec().decode(one.value, families.CLOCK_RECORD)[1]
    return {"topic": one.topic, "partition": one.partition, "headers": fixed.texts(one.headers), "value": datum}


def _told(one: Any) -> dict[str, Any]:
    return {"topic": one.topic, "headers": fixed.texts(one.headers), "value_sha": fixed.sha(one.value or b"")}
