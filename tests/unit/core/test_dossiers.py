"""21 dossiers written by hand (data/dossiers.json) through the core's step: every state, every fact expected."""

from __future__ import annotations

import itertools
import math

import pytest

from hub.avro.document import document
from hub.model.transitions import STATUSES
from tests.support.core import Core, record
from tests.support.dossiers_by_hand import DOSSIERS, TIMES, datum, ms


def records(dossier, order=None):
    rows = dossier["steps"]
    return [record(datum(dossier, rows[n]), f"e{n}", offset=n) for n in (order or range(len(rows)))]


def check_final(core, dossier):
    state, final = core.dossier(dossier["code"]), dict(dossier["final"])
    assert STATUSES.index(final["status"]) + 1 == final.pop("code")
    for name, value in final.items():
        if name == "applicant":
            assert {k: v for k, v in document(state.applicant).items() if v is not None} == value
        else:
            assert getattr(state, name) == (ms(value) if name in TIMES else value), name
    return state


def one(dossier):
    return pytest.param(dossier, id=dossier["name"])


@pytest.mark.parametrize("dossier", [one(d) for d in DOSSIERS])
def test_every_step_gives_what_was_written_down(dossier):
    core = Core()
    for made in records(dossier):
        core.run(made)
    expected = [row["expect"] for row in dossier["steps"]]
    assert [("~" if e.late else "") + e.status for e in core.events] == [e for e in expected if e[0] != "!"]
    assert ["!" + letter.reason for letter in core.dead] == [e for e in expected if e[0] == "!"]
    assert [e.hub_seq for e in core.events] == list(range(1, len(core.events) + 1))
    assert check_final(core, dossier) == core.events[-1].dossier


@pytest.mark.parametrize("dossier", [one(d) for d in DOSSIERS if d["any_order"]])
def test_any_order_of_arrival_ends_the_same(dossier):
    seen, count = [], len(dossier["steps"])
    every = max(1, math.factorial(count) // 60 - 1)  # a sample over all of them
    for order in itertools.islice(itertools.permutations(range(count)), 0, None, every):
        core = Core()
        core.run(*records(dossier, order))
        assert not core.dead
        seen.append(check_final(core, dossier))
    assert all(state == seen[0] for state in seen)


def test_reversed_with_a_correction():
    (dossier,) = [d for d in DOSSIERS if d["name"].startswith("corrected backwards")]
    core = Core()
    core.run(*reversed(records(dossier)))
    assert not core.dead
    check_final(core, dossier)
