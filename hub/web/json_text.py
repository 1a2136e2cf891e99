"""Whether all text of a JSON value can be written again: `"\\ud800"` is JSON, and half of a character."""

from __future__ import annotations

import json
from typing import Any


def is_text(value: Any) -> bool:
    """False if a lone surrogate stands in it, as a value or as a name."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True
