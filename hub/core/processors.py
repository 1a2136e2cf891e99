"""What the core does with the events of each family: how they are read, mended and taken in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hub.avro import bodies
from hub.avro.codec import Codec, head
from hub.avro.record import Body, Record
from hub.avro.records.dossier import DossierStep
from hub.avro.records.procedure import Procedure
from hub.avro.records.service import OnlineService
from hub.config import Settings
from hub.core import normalise
from hub.core.catalogue_entry import CatalogueState
from hub.core.dossier import DossierState
from hub.core.key_state import KeyState
from hub.events.families import DEADLINE, DOSSIER, PROCEDURE, SERVICE, Family
from hub.model.deadline_rules import rules as deadline_rules
from hub.model.derived_dates import Limit
from hub.stream.stage import Stored

P = TypeVar("P", bound=Record)
"""What agencies publish of a family."""

Admit = Callable[[DossierStep], None]
"""Raises BadRecord for a step that may not begin a dossier."""


@dataclass(frozen=True, slots=True)
class Processor(Generic[P]):
    """What the core does with the events of a family. published: what agencies send; own: its head, where our version
    of the schema wrote it. code: what stands in the family's field with the key. normalise: mends what was published.
    head: of the canonical event. open: the work on one key, new or stored. admit: what the first event of a key must
    pass besides."""

    family: Family
    published: Body[P]
    own: bytes
    head: bytes
    code: Callable[[P], str]
    normalise: Callable[[P, int], P]
    open: Callable[[str, Stored | None], KeyState[P]]
    admit: Callable[[P], None] | None = None


@dataclass(frozen=True, slots=True)
class Processors:
    """by_type: by the CloudEvents type that agencies use. told: head of what is told of a deadline."""

    codec: Codec
    by_type: dict[str, Processor[Any]]
    dossier: Processor[DossierStep]
    told: bytes


def processors(codec: Codec, settings: Settings, admit: Admit | None, limit: Limit | None) -> Processors:
    keep, rules, ids = settings.core.keep_steps, deadline_rules(settings.deadlines), codec.ids
    step, procedure, service = bodies.DOSSIER_STEP, bodies.PROCEDURE_CHANGE, bodies.SERVICE_CHANGE
    dossiers = Processor(
        DOSSIER, step, head(ids[step.name]), head(ids[DOSSIER.event.record]), lambda step: step.dossier_code,
        lambda step, at: normalise.dossier_step(step, at, rules),
        lambda code, stored: DossierState(code, codec, stored, keep, rules, limit), admit,
    )  # fmt: skip
    # What was never published or withdrawn, only amended, is taken to be offered.
    procedures = Processor(
        PROCEDURE, procedure, head(ids[procedure.name]), head(ids[PROCEDURE.event.record]),
        lambda change: change.procedure_code, normalise.procedure_change,
        lambda code, stored: CatalogueState(
            PROCEDURE, codec, bodies.PROCEDURE,
            Procedure(procedure_code=code, hub_seq=0, active=True, changed_at=0), stored,
        ),
    )  # fmt: skip
    services = Processor(
        SERVICE, service, head(ids[service.name]), head(ids[SERVICE.event.record]),
        lambda change: change.service_code, normalise.service_change,
        lambda code, stored: CatalogueState(
            SERVICE, codec, bodies.ONLINE_SERVICE,
            OnlineService(service_code=code, hub_seq=0, active=True, changed_at=0), stored,
        ),
    )  # fmt: skip
    by_type: dict[str, Processor[Any]] = {one.family.published: one for one in (dossiers, procedures, services)}
    return Processors(codec, by_type, dossiers, head(ids[DEADLINE.record]))
