"""The event as JSON, and rotation of the signing secret against the real simulator."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from hub.connect.portal import make_portal
from hub.errors import Rejected, Retryable
from hub_connectors.webhook.payload import as_json
from hub_connectors.webhook.tests.site import SECRET, provincial_site
from tests.support.contract_events import changed, dossier_items

NEW = "whsec_Z29sZGVuLXByZXZpb3VzLXNlY3JldC0zMi1ieXRlcyE="
CODE = "000.00.12.H11-260302-0001"


def test_times_enums_and_absent_values() -> None:
    data = as_json("vn.hub.DossierEvent", dossier_items(CODE, 1)[0].data, True)
    assert data["step"]["occurred_at"] == data["dossier"]["status_at"] == "2026-03-02T01:15:00.000Z"
    assert (data["status"], data["step"]["step"]) == ("ACCEPTED", "RECEIVED")
    assert data["dossier"]["due_at"] is None
    assert data["dossier"]["attachments"] == []
    assert data["step"]["handler"] == {"name": "Nguyễn Thị Hoa", "title": None, "department": "Một cửa"}
    json.dumps(data, allow_nan=False)


def test_personal_fields_can_be_kept_back() -> None:
    data = as_json("vn.hub.DossierEvent", dossier_items(CODE, 1)[0].data, False)
    assert data["step"]["handler"] == {"name": None, "title": None, "department": "Một cửa"}
    assert data["dossier"]["abstract"] is None
    assert data["dossier"]["procedure_code"] == "1.004194"


def test_an_impossible_time_is_refused() -> None:
    (item,) = dossier_items(CODE, 1)
    with pytest.raises(Rejected) as caught:
        as_json("vn.hub.DossierEvent", changed(item, step={"occurred_at": 2**62}).data, True)
    assert caught.value.reason == "date"


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_json_does_not_know_is_refused(number: float) -> None:
    (item,) = dossier_items(CODE, 1)
    with pytest.raises(Rejected) as caught:
        as_json("vn.hub.DossierEvent", changed(item, step={"transfer_limit": number}).data, True)
    assert caught.value.reason == "schema"


async def test_rotation_never_interrupts(tmp_path: Path) -> None:
    """Old secret; then both, old first at the receiver, later new at the receiver; then new only."""
    items = dossier_items(CODE, 4)
    hub = [
        {"signing": SECRET},
        {"signing": NEW, "signing-previous": SECRET},
        {"signing": NEW, "signing-previous": SECRET},
        {"signing": NEW},
    ]
    receiver = [SECRET, SECRET, NEW, NEW]
    for item, secrets, trusted in zip(items, hub, receiver, strict=True):
        async with provincial_site(tmp_path, [trusted]) as site:
            portal = make_portal(site.subscriber().model_copy(update={"secrets": secrets}))
            await portal.open()
            await portal.deliver([item])
            await portal.close()
            site.check(items[: item.hub_seq])


async def test_a_secret_the_receiver_does_not_know_is_no_fault_of_the_event(tmp_path: Path) -> None:
    async with provincial_site(tmp_path, [NEW]) as site:
        portal = make_portal(site.subscriber())
        await portal.open()
        with pytest.raises(Retryable) as caught:
            await portal.deliver(dossier_items(CODE, 1))
        assert (caught.value.kind, caught.value.status) == ("forbidden", 401)
        await portal.close()
        site.check([])
