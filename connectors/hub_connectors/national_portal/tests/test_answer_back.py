"""What came from the portal is not sent back to it; what the agency makes of it is answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hub.avro.records import Dossier, DossierStep, StepKind
from hub.connect.portal import Answer, Item, make_portal
from hub_connectors.national_portal.mapping import WireMapping
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.tests.site import NationalSite, national_site
from tests.support.contract_events import changed, dossier_items

CODE = "G22.99-260302-000123"


def items(count: int = 3) -> list[Item]:
    """Filed there (SUBMITTED stands for the first), then the agency's steps."""
    found = [changed(one, dossier={"filed_at_portal": "national"}) for one in dossier_items(CODE, count)]
    return [
        replace(found[0], envelope=found[0].envelope._replace(extensions={"origin": "national-portal"})),
        *found[1:],
    ]


async def deliver(site: NationalSite, given: list[Item], **settings: Any) -> Answer:
    portal = make_portal(site.subscriber(**settings))
    await portal.open()
    try:
        return await portal.deliver(given)
    finally:
        await portal.close()


async def test_what_came_from_the_portal_makes_no_call(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        answer = await deliver(site, items(1))
        assert answer.detail == {"sent": "nothing, it came from this portal"}
        assert site.app.plan.calls == 0


async def test_folded_with_the_agency_s_steps_it_has_no_line(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        await deliver(site, dossier_items(CODE, 1))  # the portal knows it, since it was filed there
        answer = await deliver(site, items(3))
        assert answer.detail["lines"] == "2"
        assert answer.detail["answered"] == "5", "the third step asks for a supplement"
        assert site.rows("SELECT ma_ho_so, trang_thai FROM answers") == [(CODE, "5")]
        assert site.rows("SELECT count(*) FROM progress_lines") == [(3,)]


async def test_from_another_portal_it_is_sent_as_ever(tmp_path: Path) -> None:
    first = items(1)[0]
    other = replace(first, envelope=first.envelope._replace(extensions={"origin": "provincial-portal"}))
    async with national_site(tmp_path) as site:
        assert (await deliver(site, [other])).detail["sent"] == "add"


async def test_a_dossier_that_the_portal_does_not_know_is_added_not_answered(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        answer = await deliver(site, items(3))
        assert (answer.detail["sent"], "answered" in answer.detail) == ("add", False)
        assert site.rows("SELECT * FROM answers") == []


async def test_switched_off(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        await deliver(site, dossier_items(CODE, 1))
        await deliver(site, items(3), answer_back=False)
        assert site.rows("SELECT * FROM answers") == []


@pytest.mark.parametrize(
    ("step", "codes", "wanted"),
    [
        ("RECEIVED", {}, ["2"]),
        ("SUPPLEMENT_REQUESTED", {}, ["5"]),
        ("NOT_ACCEPTED", {}, ["3"]),
        ("NOT_ACCEPTED", {"NOT_ACCEPTED": "11"}, ["11"]),
        ("IN_PROCESS", {}, []),
        ("SUBMITTED", {}, []),
    ],
)
def test_codes_of_the_answer(step: StepKind, codes: dict[str, str], wanted: list[str]) -> None:
    known = {"adapter_url": "http://x/", "madonvi": "H11", "username": "u", "answer_codes": codes}
    mapping = WireMapping(NationalPortalSettings.model_validate(known))
    dossier = Dossier(dossier_code=CODE, hub_seq=1, status="NEW", status_at=0, filed_at_portal="national")
    steps = [DossierStep(dossier_code=CODE, step=step, occurred_at=0)]
    answers = mapping.answers(dossier, steps)
    assert [answer["TrangThai"] for answer in answers] == wanted
    assert all(answer["NoiDung"] for answer in answers)
    assert mapping.answers(structs.replace(dossier, filed_at_portal="provincial"), steps) == []
