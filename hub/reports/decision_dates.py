"""The day on which a procedure's decision (quyết định công bố) was signed, for item 1.2.

No field of the events has it. It is taken from the words of `decision` ("2101/QĐ-UBND ngày 05/10/2026"), or from the
legal basis with the decision's number; where neither tells, it is not known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from hub.avro.records import LegalBasis, Procedure
from hub.model.calendar import midnight_of, number_of
from hub.model.text import nfc

_DAY = re.compile(
    r"ngày\s+(\d{1,2})(?:\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*|\s+tháng\s+(\d{1,2})\s+năm\s+)(\d{4})(?!\d)", re.IGNORECASE
)


def decided_at(procedure: Procedure) -> int | None:
    """Midnight of that day in local time, epoch ms."""
    words = nfc(procedure.decision or "")
    if found := _DAY.search(words):
        day, month, in_words, year = found.groups()
        try:
            return midnight_of(number_of(date(int(year), int(month or in_words), int(day))))
        except ValueError:
            return None
    return next((basis.issued_on for basis in procedure.legal_bases or () if _is_it(basis, words)), None)


def _is_it(basis: LegalBasis, decision: str) -> bool:
    """The basis is the decision itself: its number stands there, whole."""
    number = nfc(basis.number or "").strip()
    if not number or basis.issued_on is None:
        return False
    return re.search(rf"(?<![\w/]){re.escape(number)}(?![\w/])", decision, re.IGNORECASE) is not None


def public_since(decided: int, moments: Sequence[int]) -> int | None:
    """When the decision was public: the first publication or change not before it; at once, if the procedure was public
    before and nothing came after. moments: of events PUBLISHED and AMENDED, in order."""
    return next((at for at in moments if at >= decided), decided if moments else None)
