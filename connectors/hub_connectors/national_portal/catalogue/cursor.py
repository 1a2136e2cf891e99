"""What the source knows of each entry after the broker confirmed it: `cursor.json` in its folder, written durably.

Entry: content (SHA-256 of the facts), row (SHA-256 of its row in the list), detail_at (when LayThuTuc was read, epoch
ms), active. For a refused one `content` is that of the refusal, and `refused` is true.
`round_at` is the moment of a round that is under way, 0 between rounds: a round that a crash cut short goes on under
its moment, so that an event sent again is the same event.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hub.errors import StartError
from hub.machine.durable_files import write_durably

FILE = "cursor.json"


@dataclass(frozen=True, slots=True)
class Entry:
    content: str
    row: str
    detail_at: int
    active: bool
    refused: bool = False


@dataclass(slots=True)
class Cursor:
    """procedures, services: by code."""

    round_at: int = 0
    procedures: dict[str, Entry] = field(default_factory=dict)
    services: dict[str, Entry] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        """The latest moment at which an entry was looked at, 0 for none."""
        return max((one.detail_at for known in (self.procedures, self.services) for one in known.values()), default=0)

    def take(self, change: Cursor) -> None:
        """What a confirmed batch has changed."""
        self.round_at = change.round_at
        self.procedures |= change.procedures
        self.services |= change.services


def digest(value: Any) -> str:
    """SHA-256 of the value as canonical JSON."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()


def read(folder: Path) -> Cursor:
    """An empty one at the first start. StartError: the file is damaged (it is never written in part)."""
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
        return Cursor(
            found["round_at"],
            {code: Entry(**entry) for code, entry in found["procedures"].items()},
            {code: Entry(**entry) for code, entry in found["services"].items()},
        )
    except FileNotFoundError:
        return Cursor()
    except (ValueError, KeyError, TypeError) as error:
        raise StartError(
            f"{folder / FILE} is damaged ({error}); remove it: everything is then published anew"
        ) from None


def write(folder: Path, cursor: Cursor) -> None:
    write_durably(folder / FILE, json.dumps(asdict(cursor), ensure_ascii=False).encode())
