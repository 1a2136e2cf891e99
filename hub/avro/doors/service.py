"""The family service as it is posted. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from hub.avro.doors.enums import PostedChangeKind
from hub.avro.record import Moment
from hub.avro.records.service import ServiceChange


class PostedServiceChange(ServiceChange, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What an agency publishes about an online service (DVC)."""

    change: PostedChangeKind
    occurred_at: Moment
