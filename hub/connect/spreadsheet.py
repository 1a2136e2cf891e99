"""Text for a cell that a spreadsheet opens: what it would run as a formula is shown as text (OWASP, CSV injection).

Every writer of CSV and XLSX passes its cells through here: rejected rows of the file drop, workbooks of the figures.
"""

from __future__ import annotations

import re
from typing import Any

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula may begin with; the last four are the wide forms, which Excel takes for the narrow ones."""
_NUMBER = re.compile(r"[+-]?\d{1,30}([.,]\d{1,30}){0,10}", re.ASCII)


def cell(value: Any) -> Any:
    """The value, or for text that begins as a formula the text behind an apostrophe. Numbers stay what they are."""
    if not isinstance(value, str) or not value.startswith(_STARTS) or _NUMBER.fullmatch(value):
        return value
    return "'" + value
