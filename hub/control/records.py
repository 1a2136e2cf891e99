"""What stands in `hub.control` (compacted): organisations, keys, rights, subscribers, pauses.

Key = `<kind>/<name>`, value = UTF-8 JSON of the model below; no value = removed. Small, rarely written, read by people
with any Kafka tool: hence JSON (docs/decisions/0002-control-records-in-json.md).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hub.control import renamed
from hub.events.families import NAMES, FamilyName
from hub.model import codes
from hub.untyped import SettingsTable

NAME = r"^[a-z0-9][a-z0-9-]{0,40}$"


def now() -> datetime:
    return datetime.now(UTC)


def _new_forms(agencies: tuple[str, ...]) -> tuple[str, ...]:
    """Each agency once, in the new form. Text that is no code stays as it is: a record that stands in the topic must
    be read. Whoever writes one checks it first (`organisations.checked`, `subscribers.checked`)."""
    return tuple(dict.fromkeys(codes.normal(one) or one for one in agencies))


AgencyCodes = Annotated[tuple[str, ...], AfterValidator(_new_forms)]
Kind = Annotated[str, AfterValidator(renamed.kind)]


class Record(BaseModel):
    """A control record; unknown fields are kept by readers of an older version."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @property
    def key(self) -> str:
        """What stands after the kind in the record's key."""
        for field in ("name", "subscriber", "id"):
            if value := getattr(self, field, None):
                return str(value)
        raise ValueError("a control record needs a name")


class Organisation(Record):
    """A body that publishes (cơ quan, cổng).

    sources:   CloudEvents `source` values it may publish as, exact.
    agencies:  agency codes (new form, H11.12) whose dossiers it may write; "*" for all.
    joint:     it may also write on a dossier of another agency while one of `agencies` holds it (liên thông).
    key_hashes: SHA-256 hex of its API keys (keys are 256 random bits, so a plain hash does).
    key_until: hash -> when that key ends; a rotated key works on for its overlap. Without an entry: no end.
    """

    name: str = Field(pattern=NAME)
    title: str = ""
    sources: tuple[str, ...] = ()
    agencies: AgencyCodes = ()
    families: tuple[FamilyName, ...] = NAMES
    joint: bool = False
    key_hashes: tuple[str, ...] = ()
    key_until: dict[str, datetime] = Field(default_factory=dict)
    kafka_topic: bool = False
    """True: it produces to its own `hub.ingress.<name>`."""


class Filter(Record):
    """Which events a subscriber is due; an empty tuple admits all. An agency admits its parts."""

    agencies: AgencyCodes = ()
    procedures: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    """Canonical types (`vn.hub.dossier.event` …) or step words (`RECEIVED` …)."""


class Subscriber(Record):
    """Who is due events, and how they get there.

    kind:     name of an entry point in group `hub.portals`, as `national-portal`; an old name becomes the new one.
    settings: the connector's own settings (validated by the connector's model).
    secrets:  values that are never shown: literal, `env:NAME` or `file:PATH`.
    backfill: what a new subscriber gets first: the state of all dossiers, the whole log, or only what comes.
    """

    name: str = Field(pattern=NAME)
    kind: Kind
    title: str = ""
    filter: Filter = Filter()
    settings: SettingsTable = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    paused: bool = False
    backfill: Literal["state", "log", "none"] = "state"
    created_at: datetime = Field(default_factory=now)


class BackfillProgress(Record):
    """Key `backfill/<subscriber>`. ends: partition -> end offset of hub.events noted before the state was read."""

    subscriber: str
    ends: dict[int, int]
    done: bool = False


class SatisfactionSent(Record):
    """Key `satisfaction/<subscriber>`: up to which slot the ratings of a month went to that portal."""

    subscriber: str
    slot: date


KINDS: dict[str, type[Record]] = {
    "organisation": Organisation,
    "subscriber": Subscriber,
    "backfill": BackfillProgress,
    "satisfaction": SatisfactionSent,
}
