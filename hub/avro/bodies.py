"""The records that are sent, by their full names. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from typing import Any, Final

from hub.avro.body.delivery import read_delivery, write_delivery
from hub.avro.body.dossier import (
    read_dossier,
    read_dossier_deadline,
    read_dossier_deadline_event,
    read_dossier_event,
    read_dossier_step,
    write_dossier,
    write_dossier_deadline,
    write_dossier_deadline_event,
    write_dossier_event,
    write_dossier_step,
)
from hub.avro.body.procedure import (
    read_procedure,
    read_procedure_change,
    read_procedure_event,
    write_procedure,
    write_procedure_change,
    write_procedure_event,
)
from hub.avro.body.service import (
    read_online_service,
    read_service_change,
    read_service_event,
    write_online_service,
    write_service_change,
    write_service_event,
)
from hub.avro.record import Body
from hub.avro.records.delivery import Delivery
from hub.avro.records.dossier import Dossier, DossierDeadline, DossierDeadlineEvent, DossierEvent, DossierStep
from hub.avro.records.procedure import Procedure, ProcedureChange, ProcedureEvent
from hub.avro.records.service import OnlineService, ServiceChange, ServiceEvent

DOSSIER_STEP: Final = Body("vn.hub.DossierStep", DossierStep, read_dossier_step, write_dossier_step)
DOSSIER: Final = Body("vn.hub.Dossier", Dossier, read_dossier, write_dossier)
DOSSIER_EVENT: Final = Body("vn.hub.DossierEvent", DossierEvent, read_dossier_event, write_dossier_event)
DOSSIER_DEADLINE: Final = Body("vn.hub.DossierDeadline", DossierDeadline, read_dossier_deadline, write_dossier_deadline)
DOSSIER_DEADLINE_EVENT: Final = Body(
    "vn.hub.DossierDeadlineEvent", DossierDeadlineEvent, read_dossier_deadline_event, write_dossier_deadline_event
)
PROCEDURE_CHANGE: Final = Body("vn.hub.ProcedureChange", ProcedureChange, read_procedure_change, write_procedure_change)
PROCEDURE: Final = Body("vn.hub.Procedure", Procedure, read_procedure, write_procedure)
PROCEDURE_EVENT: Final = Body("vn.hub.ProcedureEvent", ProcedureEvent, read_procedure_event, write_procedure_event)
SERVICE_CHANGE: Final = Body("vn.hub.ServiceChange", ServiceChange, read_service_change, write_service_change)
ONLINE_SERVICE: Final = Body("vn.hub.OnlineService", OnlineService, read_online_service, write_online_service)
SERVICE_EVENT: Final = Body("vn.hub.ServiceEvent", ServiceEvent, read_service_event, write_service_event)
DELIVERY: Final = Body("vn.hub.Delivery", Delivery, read_delivery, write_delivery)

BODIES: Final[dict[str, Body[Any]]] = {
    DOSSIER_STEP.name: DOSSIER_STEP,
    DOSSIER.name: DOSSIER,
    DOSSIER_EVENT.name: DOSSIER_EVENT,
    DOSSIER_DEADLINE.name: DOSSIER_DEADLINE,
    DOSSIER_DEADLINE_EVENT.name: DOSSIER_DEADLINE_EVENT,
    PROCEDURE_CHANGE.name: PROCEDURE_CHANGE,
    PROCEDURE.name: PROCEDURE,
    PROCEDURE_EVENT.name: PROCEDURE_EVENT,
    SERVICE_CHANGE.name: SERVICE_CHANGE,
    ONLINE_SERVICE.name: ONLINE_SERVICE,
    SERVICE_EVENT.name: SERVICE_EVENT,
    DELIVERY.name: DELIVERY,
}
