"""What the core does with the events of each family: how they are read, mended and taken in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from hub.avro import bodies
from hub.avro.codec import Codec, head
from hub.avro.record import Body, Record
from hub.avro.records.dossier import DossierStep
from hub.avro.records.procedure import Procedure, ProcedureChange
from hub.avro.records.service import OnlineService, ServiceChange
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


class Processor(ABC, Generic[P]):
    """What the core does with the events of a family. published: what agencies send; own: its head, where our version
    of the schema wrote it. head: of the canonical event. type, store: of that event, and of the state."""

    def __init__(self, family: Family, published: Body[P], codec: Codec) -> None:
        self.codec = codec
        self.published: Body[P] = published
        self.own = head(codec.ids[published.name])
        self.head = head(codec.ids[family.event.record])
        self.field = family.code
        self.type = family.event.type
        self.store = family.state_topic

    @abstractmethod
    def code(self, published: P) -> str:
        """What stands in the family's field with the key."""

    @abstractmethod
    def normalise(self, given: P, recorded_ms: int) -> P:
        """Mends what was published; BadRecord where nothing can be mended."""

    @abstractmethod
    def open(self, code: str, stored: Stored | None) -> KeyState[P]:
        """The work on one key, new or stored."""

    def admit(self, published: P) -> None:
        """What the first event of a key must pass besides; BadRecord if it does not."""
        return


class Dossiers(Processor[DossierStep]):
    """admitted: the catalogue's word on new dossiers."""

    def __init__(self, codec: Codec, settings: Settings, admitted: Admit | None, limit: Limit | None) -> None:
        super().__init__(DOSSIER, bodies.DOSSIER_STEP, codec)
        self.keep = settings.core.keep_steps
        self.rules = deadline_rules(settings.deadlines)
        self.limit = limit
        self.admitted = admitted

    def code(self, published: DossierStep) -> str:
        return published.dossier_code

    def normalise(self, given: DossierStep, recorded_ms: int) -> DossierStep:
        return normalise.dossier_step(given, recorded_ms, self.rules)

    def open(self, code: str, stored: Stored | None) -> DossierState:
        return DossierState(code, self.codec, stored, self.keep, self.rules, self.limit)

    def admit(self, published: DossierStep) -> None:
        if self.admitted is not None:
            self.admitted(published)


# What was never published or withdrawn, only amended, is taken to be offered.


class Procedures(Processor[ProcedureChange]):
    def code(self, published: ProcedureChange) -> str:
        return published.procedure_code

    def normalise(self, given: ProcedureChange, recorded_ms: int) -> ProcedureChange:
        return normalise.procedure_change(given, recorded_ms)

    def open(self, code: str, stored: Stored | None) -> CatalogueState[Procedure]:
        fresh = Procedure(procedure_code=code, hub_seq=0, active=True, changed_at=0)
        return CatalogueState(PROCEDURE, self.codec, bodies.PROCEDURE, fresh, stored)


class Services(Processor[ServiceChange]):
    def code(self, published: ServiceChange) -> str:
        return published.service_code

    def normalise(self, given: ServiceChange, recorded_ms: int) -> ServiceChange:
        return normalise.service_change(given, recorded_ms)

    def open(self, code: str, stored: Stored | None) -> CatalogueState[OnlineService]:
        fresh = OnlineService(service_code=code, hub_seq=0, active=True, changed_at=0)
        return CatalogueState(SERVICE, self.codec, bodies.ONLINE_SERVICE, fresh, stored)


class Processors:
    """by_type: by the CloudEvents type that agencies use. told: head of what is told of a deadline."""

    def __init__(self, codec: Codec, settings: Settings, admit: Admit | None, limit: Limit | None) -> None:
        self.codec = codec
        self.dossier = Dossiers(codec, settings, admit, limit)
        self.told = head(codec.ids[DEADLINE.record])
        self.by_type: dict[str, Processor[Any]] = {
            DOSSIER.published: self.dossier,
            PROCEDURE.published: Procedures(PROCEDURE, bodies.PROCEDURE_CHANGE, codec),
            SERVICE.published: Services(SERVICE, bodies.SERVICE_CHANGE, codec),
        }
