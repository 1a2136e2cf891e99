"""Level (mức độ 1 to 4, NĐ 43/2011) and kind (toàn trình or một phần, NĐ 42/2022) of an online service.

Two fields; since 15 August 2022 the second one counts. A source may tell either or both (docs/field/services.md).
"""

from __future__ import annotations

from hub.errors import BadRecord
from hub.model.online_services import FILING_LEVEL

WHOLE_LEVEL = 4
"""Paid and answered online as well. Level 3 may be either kind: a result by post makes it toàn trình (grade I)."""

_MEND = "correct one of them, or send whole_process without level if the level is out of date"


def check(level: int | None, whole_process: bool | None) -> None:
    """BadRecord (`limit`) for a level that there is not, or one that the kind told beside it excludes."""
    if level is None:
        return
    if not 1 <= level <= WHOLE_LEVEL:
        raise _bad(f"must be 1 to {WHOLE_LEVEL} (NĐ 43/2011/NĐ-CP); got {level}")
    if whole_process is True and level < FILING_LEVEL:
        raise _bad(f"{level} is not filed online (NĐ 43/2011/NĐ-CP), so it cannot be toàn trình; {_MEND}")
    if whole_process is False and level == WHOLE_LEVEL:
        raise _bad(f"{level} is toàn trình (NĐ 42/2022/NĐ-CP); got một phần; {_MEND}")


def _bad(what: str) -> BadRecord:
    return BadRecord("limit", f"level: {what}", "level")
