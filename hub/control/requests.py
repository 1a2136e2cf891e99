"""What stands in `hub.requests` (key = dossier code): orders to a delivery role about one dossier of one subscriber.

They pass through the dossier's own queue, so they never overtake what is under way.
Value = UTF-8 JSON; an order is acted on at least once, and each action is idempotent.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.control.records import now


class Pointer(BaseModel):
    """Where one canonical event stands: its offset in the key's partition of hub.events."""

    model_config = ConfigDict(frozen=True)

    offset: int
    hub_seq: int
    event_id: str


class Request(BaseModel):
    """action:
    resend  deliver these events again if they are not known as delivered (from reconcile: MISSING or STALE);
    replay  deliver a dead-lettered event now and, when it succeeds, release what is held behind it;
    skip    give the dead-lettered event up and release what is held behind it.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    action: Literal["resend", "replay", "skip"]
    subscriber: str
    key: str
    pointers: tuple[Pointer, ...] = ()
    who: str = "reconcile"
    why: str = ""
    at: str = Field(default_factory=lambda: now().isoformat())
