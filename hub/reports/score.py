"""The score of one agency from its tally: each item with its numbers put into its formula (docs/field/score.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub.reports.figures import Codes, Tally
from hub.reports.score_rules import Group, Item, Scheme


@dataclass(frozen=True, slots=True)
class Scored:
    """An item. counted of total: the codes behind the share. value: the share, None if it cannot be computed: why says.
    worth: 0 to 1, value / full_at. written: the formula with its numbers, as `9 / 15 = 60,0 %`."""

    item: Item
    counted: Codes
    total: Codes
    value: float | None
    worth: float | None
    written: str
    why: str


@dataclass(frozen=True, slots=True)
class GroupScore:
    """points: None if none of its items can be computed."""

    group: Group
    points: float | None
    items: tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """total: points of the groups that can be computed, scaled to 100. covered: the most these groups give."""

    groups: tuple[GroupScore, ...]
    total: float | None
    covered: float
    band: str


def score(tally: Tally, scheme: Scheme) -> Score:
    """Items without data (no procedure, no fee …) are left out of their group's mean, not counted as 0."""
    groups = tuple(_group(tally, group, scheme) for group in scheme.groups)
    known = [(g.points, g.group.points) for g in groups if g.points is not None]
    covered = sum(most for _, most in known)
    total = 100 * sum(points for points, _ in known) / covered if covered else None
    return Score(groups, total, covered, scheme.band(total) if total is not None else "")


def _group(tally: Tally, group: Group, scheme: Scheme) -> GroupScore:
    items = tuple(_item(tally, item) for item in scheme.items if item.group == group.number)
    worths = [scored.worth for scored in items if scored.worth is not None]
    points = group.points * sum(worths) / len(worths) if worths else None
    return GroupScore(group, points, items)


# item -> (counted, of these)
_SHARES: dict[str, Callable[[Tally], tuple[Iterable[str], Iterable[str]]]] = {
    "1.1": lambda t: (t.published_in_time, t.effective),
    "1.2": lambda t: (t.told_in_time, t.decided),
    "1.4": lambda t: (t.delivered, t.received),
    "2.1": lambda t: (t.in_time, t.judged),
    "3.1": lambda t: (t.offered, t.procedures),
    "3.3": lambda t: (t.online, t.received),
    "3.5": lambda t: (sorted(t.paid_procedures), sorted(t.fee_procedures)),
    "3.6": lambda t: (t.paid_online, t.with_fee),
    "4.1": lambda t: (t.result_link, t.with_result),
    "4.2": lambda t: (t.both_digitised, t.with_result),
    "4.3": lambda t: (t.digitised, t.with_papers),
    "4.5": lambda t: (t.vneid, t.received),
}


def _item(tally: Tally, item: Item) -> Scored:
    if item.missing:
        return Scored(item, (), (), None, None, "", item.missing)
    if item.id == "5.4":
        return _satisfaction(tally, item)
    share = _SHARES.get(item.id)
    if share is None:
        return Scored(item, (), (), None, None, "", "trục chưa có công thức cho mục này")
    counted, total = (tuple(codes) for codes in share(tally))
    if not total:
        return Scored(item, (), (), None, None, "", item.without)
    value = len(counted) / len(total)
    return Scored(
        item, counted, total, value, _worth(item, value), f"{len(counted)} / {len(total)} = {percent(value)}", ""
    )


def _satisfaction(tally: Tally, item: Item) -> Scored:
    """5.4: 100 % − (overdue + disliked). Without a rating nothing is disliked; without a dossier there is no value."""
    if not tally.judged:
        return Scored(item, (), (), None, None, "", item.without)
    overdue = 1 - len(tally.in_time) / len(tally.judged)
    disliked = len(tally.disliked) / len(tally.rated) if tally.rated else 0.0
    value = max(0.0, 1 - overdue - disliked)
    late = len(tally.judged) - len(tally.in_time)
    written = (
        f"100 % − {late} / {len(tally.judged)} − {len(tally.disliked)} / {len(tally.rated)} = {percent(value)}"
        if tally.rated
        else f"100 % − {late} / {len(tally.judged)} = {percent(value)} (chưa có đánh giá)"
    )
    return Scored(item, tuple(tally.disliked), tuple(tally.rated), value, _worth(item, value), written, "")


def _worth(item: Item, value: float) -> float:
    return min(1.0, value / item.full_at)


def percent(value: float) -> str:
    """60,0 %, as Vietnamese writes it."""
    return f"{100 * value:.1f} %".replace(".", ",")
