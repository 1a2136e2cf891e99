"""docs/open-points.md and docs/domain.md are held to the code: names, defaults, places, the diagram."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from hub.config import Settings
from hub.model import agencies, lifecycle
from hub_connectors.filedrop.mapping import Mapping
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.inbound.settings import InboundSettings
from hub_connectors.national_portal.settings import NationalPortalSettings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "open-points.md").read_text("utf-8")
SCORE = tomllib.loads((ROOT / "hub" / "reports" / "score.toml").read_text("utf-8"))
MODELS: dict[str, type[BaseModel]] = {
    "national-portal": NationalPortalSettings,
    "inbound.national-portal": InboundSettings,
    "sources.national-catalogue": CatalogueSettings,
    "mapping": Mapping,
}
MISSING = object()


def table(heading: str) -> list[list[str]]:
    """Cells of the rows of the table under a heading."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


SETTINGS = {row[0].strip("`"): row[1] for row in table("Settings")}


def default(name: str) -> Any:
    """What the code has for it; MISSING if there is no such setting."""
    if name.startswith("score."):
        found: Any = SCORE
        for part in name.split(".")[1:]:
            found = found.get(part, MISSING) if isinstance(found, dict) else MISSING
        return found
    for prefix, model in MODELS.items():
        if name.startswith(f"{prefix}."):
            return of_model(model, name.removeprefix(f"{prefix}."))
    return of_model(Settings, name)


def of_model(model: type[BaseModel], name: str) -> Any:
    first, _, rest = name.partition(".")
    field = model.model_fields.get(first)
    if field is None:
        return MISSING
    value = field.get_default(call_default_factory=True)
    if not rest:
        return None if value is PydanticUndefined else value
    return of_model(type(value), rest) if isinstance(value, BaseModel) else MISSING


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_exists_and_has_the_default_that_is_told(name: str) -> None:
    value, told = default(name), SETTINGS[name]
    assert value is not MISSING, f"{name}: no such setting"
    if told != "see file":
        assert json.loads(told.strip("`")) == json.loads(json.dumps(value))


def test_a_setting_that_no_public_source_tells_is_on_the_page() -> None:
    untold = [
        f"{prefix}.{name}"
        for prefix, model in MODELS.items()
        for name, field in model.model_fields.items()
        if "no public source" in (field.description or "")
    ]
    assert untold
    assert set(untold) <= set(SETTINGS)


def test_all_settings_of_deadlines_and_measure_are_on_the_page() -> None:
    """Both are of grade C or ours as a whole (docs/deadlines.md, docs/figures.md); how often the clock ticks is not."""
    names = {f"deadlines.{name}" for name in type(Settings().deadlines).model_fields} - {"deadlines.tick_s"}
    assert names | {f"score.measure.{name}" for name in SCORE["measure"]} <= set(SETTINGS)


def test_a_name_that_is_none_is_found() -> None:
    assert default("deadlines.nothing") is MISSING
    assert default("national-portal.nothing") is MISSING
    assert default("score.measure.nothing") is MISSING


@pytest.mark.parametrize("row", table("Decisions without a setting"), ids=lambda row: row[0].strip("`"))
def test_every_place_exists(row: list[str]) -> None:
    assert (ROOT / row[0].strip("`")).is_file()


@pytest.mark.parametrize("heading", ["Settings", "Decisions without a setting"])
def test_every_row_tells_source_and_whom_to_ask(heading: str) -> None:
    asked = {"Portal", "LGSP", "Office", "Home affairs", "Vendor"}
    assert table(heading)
    for row in table(heading):
        assert len(row) == (5 if heading == "Settings" else 4), row
        assert all(row), row
        assert set(row[-1].split(", ")) <= asked, row
        assert re.search(r"\b[a-z-]+#[a-z0-9-]+|ours", row[-2]), row


def test_the_state_diagram_is_the_code_s() -> None:
    assert lifecycle.mermaid() in (ROOT / "docs" / "domain.md").read_text("utf-8")


def test_links_of_both_pages_lead_somewhere() -> None:
    links = [
        (page, target)
        for page in ("domain.md", "open-points.md")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / "docs" / page).read_text("utf-8"))
    ]
    assert links
    for page, target in links:
        assert (ROOT / "docs" / target).exists(), f"{page}: {target}"


def test_the_domain_page_counts_the_dossiers_written_by_hand() -> None:
    data = ROOT / "tests" / "data"
    number = len(json.loads((data / "dossiers.json").read_text("utf-8"))["dossiers"])
    assert f"steps and states of {number} dossiers" in (ROOT / "docs" / "domain.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("code", "english", "name"),
    [
        ("H11.05", "finance department", "Sở Tài chính tỉnh Bình Thuận"),
        ("H11.06", "price council", "Hội đồng thẩm định giá đất tỉnh Bình Thuận"),
        ("H11.45", "tax office", "Thuế tỉnh Bình Thuận"),
    ],
)
def test_the_land_case_calls_offices_by_the_codes_of_the_table(code: str, english: str, name: str) -> None:
    office = agencies.table().get(code)
    assert office is not None
    assert office.name == name
    assert f"{code} {english}" in " ".join((ROOT / "docs" / "joint.md").read_text("utf-8").split())
