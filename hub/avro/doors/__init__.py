"""Records as they are posted: the door form of each. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from typing import Final

from hub.avro.doors.dossier import PostedDossierStep
from hub.avro.doors.procedure import PostedProcedureChange
from hub.avro.doors.service import PostedServiceChange
from hub.avro.record import Record

POSTED: Final[dict[str, type[Record]]] = {
    "vn.hub.DossierStep": PostedDossierStep,
    "vn.hub.ProcedureChange": PostedProcedureChange,
    "vn.hub.ServiceChange": PostedServiceChange,
}
