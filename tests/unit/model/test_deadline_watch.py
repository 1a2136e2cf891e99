"""The watch after one more step is the one that all steps lead to."""

from __future__ import annotations

import random

import pytest

from hub.config import Settings
from hub.errors import BadRecord
from hub.model import step_history
from hub.model.dates import Dates
from hub.model.dates import unpack as unpack_dates
from hub.model.deadline_rules import rules as deadline_rules
from hub.model.deadline_watch import followed
from hub.model.lifecycle import WAITING
from tests.support.core import DAY, T0

KINDS = (*["IN_PROCESS"] * 8, "SUBMITTED", "RECEIVED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN", "PAYMENT_REQUESTED",
         "PAYMENT_MADE")  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_a_watch_that_looks_only_at_what_changed_is_the_same(seed: int) -> None:
    rng, rules = random.Random(seed), deadline_rules(Settings().deadlines)
    known, keep, newest_key = step_history.History(), rng.choice((2, 4, 16)), 0
    watch, at, dates = None, T0, Dates()
    for number in range(150):
        at += rng.choice((0, 1, DAY // 3, DAY))
        late = rng.choice((0, 0, 0, 2 * DAY))
        key = step_history.order_key(at - late, rng.choice(KINDS), False, number)
        try:
            judged = known.add(key, keep)
        except BadRecord:
            continue
        told = rng.choice((0,) * 9 + (T0 + 40 * DAY + rng.randrange(20) * DAY,)) or (0 if watch else T0 + 40 * DAY)
        newest = told != 0 and key >= newest_key
        newest_key = key if newest else newest_key
        dates = dates.after(known, judged.history, key, told, newest)
        assert len(dates.told) == len(judged.history.keys)
        due_at, since = dates.promised(judged.history)
        in_order = not known.keys or key >= known.keys[-1]
        settled, waited = in_order and not dates.full, known.tail.status in WAITING
        whole = followed(None, rules, due_at, since, dates, judged.history)
        assert followed(watch, rules, due_at, since, dates, judged.history, settled, waited) == whole
        watch, known = whole, judged.history
        if rng.random() < 0.1:
            watch = watch._replace(mask=rng.randrange(1, 4))
            dates = dates.reporting(watch.deadline_at, watch.mask)
        if packed := dates.pack():
            assert unpack_dates(packed) == dates
