"""The audit as versions before `hub.audit` kept it, in `hub.control`: entries, and what they tell of dead letters.

Read by the migration only (`hub.supervisor.audit_migration`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict

from hub.control.audit import AuditEntry, Target, clean
from hub.deadletter.browse import Found
from hub.deadletter.filters import Filter
from hub.deadletter.states import LetterState, State

log = logging.getLogger(__name__)

KEY_PREFIX = b"audit/"
SATISFACTION = "satisfaction.send"
ACTIONS: dict[str, State] = {"dead-letters.replay": "replayed", "dead-letters.skip": "skipped"}
_PLAIN = ",:"
GO_BACK = "go-back-"
IDS_EACH = 5_000
"""Letters that one entry names: it stays far below the limit of a record."""


class OldEntry(BaseModel):
    """Key `audit/<id>`. Everything but who, when and why stood in `target`, as text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    at: datetime
    who: str
    action: str
    target: str
    why: str = ""

    @property
    def is_of_go_back(self) -> bool:
        """It tells an older program what `hub.audit` and the states tell already."""
        return self.id.startswith(GO_BACK)

    def words(self) -> dict[str, str]:
        """Of a dead letters' act: `stage=core upto=0:12,1:5 sent=3`."""
        return {name: unquote(value) for name, _, value in (word.partition("=") for word in self.target.split())}

    def satisfaction(self) -> tuple[str, date] | None:
        """(subscriber, slot) of `national 2026-11 2026-11-24`; None of another act."""
        name, _, rest = self.target.partition(" ")
        if self.action != SATISFACTION:
            return None
        try:
            return name, date.fromisoformat(rest.partition(" ")[2])
        except ValueError:
            return None


def entry(old: OldEntry) -> AuditEntry:
    """The same act in today's form: same id, same time. Masked as all entries are."""
    made = AuditEntry(
        id=old.id,
        at=old.at,
        who=old.who,
        role="hub" if old.who == "hub" else "operator",
        action=old.action,
        target=Target(kind=old.action.partition(".")[0], name=clean(old.target)),
        why=clean(old.why),
    )
    name, colon, rest = old.target.partition(": ")
    if old.action in ACTIONS:
        words = old.words()
        sent, _ = words.pop("sent", None), words.pop("upto", None)
        told = clean(" ".join(f"{name}={value}" for name, value in words.items()))
        changes = {"target": Target(kind="dead-letters", name=told), "result": "begun" if sent is None else "done"}
        return made.model_copy(update=changes | {"detail": "" if sent is None else f"sent={sent}"})
    if old.action == "question.answer":
        question, _, outcome = rest.partition(": ")
        ended = {"result": "done"} if outcome == "ok" else {"result": "failed", "reason": clean(outcome)}
        return made.model_copy(update={"target": Target(kind="question", name=clean(f"{name} {question}")), **ended})
    if old.action == SATISFACTION:
        name, _, rest = old.target.partition(" ")
        target = Target(kind="subscriber", name=clean(name))
        return made.model_copy(update={"target": target, "detail": clean(f"{rest}: {old.why}"), "why": ""})
    if colon:
        target = made.target.model_copy(update={"name": clean(name)})
        return made.model_copy(update={"target": target, "detail": clean(rest)})
    return made


@dataclass(frozen=True, slots=True)
class OldAct:
    """One act on dead letters that was carried through: what the filter admits, up to these ends."""

    entry: OldEntry
    wanted: Filter
    upto: Mapping[int, int]

    @property
    def state(self) -> State:
        return ACTIONS[self.entry.action]

    def covers(self, found: Found) -> bool:
        letter = found.letter
        return (
            found.offset < self.upto.get(found.partition, 0)
            and found.written_ms >= self.wanted.since_ms
            and self.wanted.admits(letter)
            and (self.state != "skipped" or letter.stage == "deliver")
            # Whether it went hung on the rights of that moment, or it could not go: it stays open.
            and letter.stage != "intake"
            and not letter.obstacle
        )


def acts(entries: Iterable[OldEntry]) -> list[OldAct]:
    """The newest first. One that was begun and not carried through closes nothing."""
    newest = sorted(entries, key=lambda one: one.at, reverse=True)
    return [act for one in newest if (act := _act(one)) is not None]


def _act(old: OldEntry) -> OldAct | None:
    if old.action not in ACTIONS:
        return None
    words = old.words()
    if "sent" not in words or "upto" not in words:
        return None
    try:
        upto = {int(part): int(end) for part, end in (place.split(":") for place in words["upto"].split(",") if place)}
        return OldAct(old, Filter.of(words), upto)
    except ValueError:
        log.warning("audit entry %s is not understood and closes nothing", old.id)
        return None


def acts_of(states: Sequence[LetterState]) -> list[OldEntry]:
    """What an older program needs to take these letters of one act for closed."""
    out = []
    for start in range(0, len(states), IDS_EACH):
        some = states[start : start + IDS_EACH]
        upto: dict[int, int] = {}
        for one in some:
            upto[one.partition] = max(upto.get(one.partition, 0), one.offset + 1)
        words = Filter(frozenset(one.letter for one in some)).words()
        words |= {"upto": ",".join(f"{part}:{end}" for part, end in sorted(upto.items())), "sent": str(len(some))}
        target = " ".join(f"{name}={quote(value, safe=_PLAIN)}" for name, value in words.items())
        first = some[0]
        action = "dead-letters.skip" if first.state == "skipped" else "dead-letters.replay"
        id = f"{GO_BACK}{first.act}-{first.state}-{start}"
        out.append(OldEntry(id=id, at=max(one.at for one in some), who=first.who, action=action, target=target))
    return out


def satisfaction_of(subscriber: str, slot: date) -> OldEntry:
    """What an older program needs to send the ratings of that slot no second time."""
    at, target = datetime.now(UTC), f"{subscriber} {slot:%Y-%m} {slot}"
    return OldEntry(id=f"{GO_BACK}{subscriber}", at=at, who="hub", action=SATISFACTION, target=target)
