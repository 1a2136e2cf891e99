"""Records of the family service. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from hub.avro.record import Int, Long, Record
from hub.avro.records.enums import ChangeKind


class ServiceChange(Record, frozen=True, gc=False):
    """What an agency publishes about an online service (DVC)."""

    # MADVC, procedure code and .NN
    service_code: str
    # what happened
    change: ChangeKind
    # when
    occurred_at: Long
    # TENDVC
    name: str | None = None
    # MATTHC
    procedure_code: str | None = None
    # who offers it
    agency_code: str | None = None
    # mức độ 1 to 4 (NĐ 43/2011)
    level: Int | None = None
    # true toàn trình, false một phần (NĐ 42/2022)
    whole_process: bool | None = None
    # portals that offer it
    channels: tuple[str, ...] = ()
    # address of the service
    url: str | None = None


class OnlineService(Record, frozen=True, gc=False):
    """An online service as the hub knows it: the value of hub.services."""

    # MADVC
    service_code: str
    # its version
    hub_seq: Long
    # offered now
    active: bool
    # time of the last change
    changed_at: Long
    # TENDVC
    name: str | None = None
    # MATTHC
    procedure_code: str | None = None
    # who offers it
    agency_code: str | None = None
    # mức độ 1 to 4 (NĐ 43/2011)
    level: Int | None = None
    # true toàn trình, false một phần (NĐ 42/2022)
    whole_process: bool | None = None
    # portals that offer it
    channels: tuple[str, ...] = ()
    # address of the service
    url: str | None = None
    # time of the last publication or withdrawal; null: only amended so far
    active_since: Long | None = None


class ServiceEvent(Record, frozen=True, gc=False, kw_only=True):
    """A canonical online-service event in hub.events."""

    # number of this event
    hub_seq: Long
    # as in DossierEvent
    late: bool = False
    # as published, normalised
    change: ServiceChange
    # the state after it
    service: OnlineService
