"""From two looks at the catalogue to events: what is new, changed, gone. Pure.

An event's id follows from the source, the code, the kind of change, the content and the moment of the round: the same
round read again gives the same events, a value that goes back to what it was is a new one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from msgspec import structs

from hub.avro.records import ChangeKind, ProcedureChange, ServiceChange
from hub.connect.source import Batch, Incoming, Refused
from hub.errors import BadRecord, Retryable
from hub.events.envelope import Envelope, derived_id
from hub.events.families import PROCEDURE, SERVICE
from hub.model.times import utc_text
from hub_connectors.national_portal.catalogue.content import content
from hub_connectors.national_portal.catalogue.cursor import Cursor, Entry, digest
from hub_connectors.national_portal.catalogue.values import Row

Family = Literal["procedures", "services"]

_FAMILIES = {"procedures": PROCEDURE, "services": SERVICE}
_SMALL = 5
"""So few entries may always vanish at once."""


@dataclass(slots=True)
class Changes:
    """Collects one batch. source: CloudEvents source. at: moment of the round, epoch ms."""

    source: str
    at: int
    events: list[Incoming] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    cursor: Cursor = field(default_factory=Cursor)
    looked: int = 0

    def seen(
        self, family: Family, told: ProcedureChange | ServiceChange, active: bool, row: str, known: Entry | None
    ) -> None:
        """An entry as it stands now; no event if that is as it was confirmed last."""
        code, now = _code(told), content(told, active)
        if known is None or known.refused or known.content != now:
            change: ChangeKind = (
                "WITHDRAWN" if not active else "AMENDED" if known is not None and known.active else "PUBLISHED"
            )
            self._event(family, structs.replace(told, change=change), now)
        self._note(family, code, Entry(now, row, self.at, active))

    def gone(self, family: Family, code: str, known: Entry) -> None:
        """No longer in the list: withdrawn."""
        now = digest(["gone", code])
        self._note(family, code, Entry(now, "", self.at, False))
        if family == "procedures":
            self._event(family, ProcedureChange(procedure_code=code, change="WITHDRAWN", occurred_at=self.at), now)
        else:
            self._event(family, ServiceChange(service_code=code, change="WITHDRAWN", occurred_at=self.at), now)

    def refuse(self, family: Family, code: str, row: Row, error: BadRecord, known: Entry | None) -> None:
        """An entry that cannot become an event: told once, and again only when it changes."""
        now = digest([row, error.reason, error.detail])
        name = code or f"no code {now[:12]}"
        active = known.active if known is not None else False
        self._note(family, name, Entry(now, "", self.at, active, refused=True))
        if known is not None and known.refused and known.content == now:
            return
        id = derived_id(self.source, "refused", family, name, now, str(self.at))
        original = json.dumps(row, ensure_ascii=False, default=str).encode(errors="replace")
        self.refused.append(Refused(id, self.source, error.reason, error.detail, original, f"{family} {name}"))

    def batch(self, round_at: int) -> Batch:
        """round_at: the cursor's, 0 when the round is at its end."""
        self.cursor.round_at = round_at
        return Batch(self.events, self.refused, {"change": self.cursor})

    def _note(self, family: Family, code: str, entry: Entry) -> None:
        (self.cursor.procedures if family == "procedures" else self.cursor.services)[code] = entry
        self.looked += 1

    def _event(self, family: Family, told: ProcedureChange | ServiceChange, content: str) -> None:
        code = _code(told)
        envelope = Envelope(
            id=derived_id(self.source, code, told.change, content, str(self.at)),
            source=self.source,
            type=_FAMILIES[family].published,
            subject=code,
            time=utc_text(self.at),
        )
        self.events.append(Incoming(envelope, told))


def _code(told: ProcedureChange | ServiceChange) -> str:
    return told.procedure_code if isinstance(told, ProcedureChange) else told.service_code


def by_code(rows: Iterable[Row], field: str) -> tuple[dict[str, Row], int]:
    """(code -> row, how many rows were repeated). Rows without a code stand under "#0", "#1" …"""
    out: dict[str, Row] = {}
    repeated: Counter[str] = Counter()
    for row in rows:
        code = str(row.get(field) or "").strip() or f"#{len(out)}"
        if code in out:
            repeated[code] += 1
        else:
            out[code] = row
    return out, repeated.total()


def check_whole(service: str, known: Mapping[str, Entry], listed: Iterable[str], max_missing: float) -> list[str]:
    """The active codes that are no longer listed. Retryable (`cut_list`): so many that the list must be cut short.

    An empty list is refused whatever is known: nothing is ever withdrawn because a portal answered with nothing.
    """
    listed = set(listed)
    if not listed:
        raise Retryable("empty_list", f"{service}: the list is empty; nothing is withdrawn because of it")
    active = [code for code, entry in known.items() if entry.active]
    missing = sorted(code for code in active if code not in listed)
    if len(missing) > max(_SMALL, max_missing * len(active)):
        raise Retryable(
            "cut_list",
            f"{service}: {len(missing)} of {len(active)} known entries are missing; the list looks cut short and is "
            "refused. If they were withdrawn, raise sources.national-catalogue.max_missing for one round",
        )
    return missing
