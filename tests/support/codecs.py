"""A codec without a registry: the project's schemas under fixed ids."""

from __future__ import annotations

from typing import Any

from hub.avro.codec import Codec
from hub.errors import DecodeError

RECORDS = ["DossierStep", "Dossier", "DossierEvent", "ProcedureChange", "Procedure", "ProcedureEvent"]
RECORDS += ["ServiceChange", "OnlineService", "ServiceEvent", "Delivery", "DossierDeadline", "DossierDeadlineEvent"]
IDS = {f"vn.hub.{name}": number for number, name in enumerate(RECORDS, start=1)}


def _unknown(schema_id: int) -> Any:
    raise DecodeError("schema_id", f"schema id {schema_id} is unknown")


def fixed_codec() -> Codec:
    return Codec(IDS, _unknown)
