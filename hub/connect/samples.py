"""Sample data as agencies hand it over: what the demo and the writers of agencies' files share.

A connector that takes files names its writer as entry point `hub.samples`; the demo finds it there.
A step is flat here: field name of vn.hub.DossierStep, dotted for what is nested -> value, times in ms UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
SAMPLE = "hub_connectors.filedrop.sample"
"""The package with the sample's rows (`receipt.csv`) and the agencies' mappings."""


@dataclass(frozen=True, slots=True)
class Agency:
    """name: its folder or organisation. carrier: file, http or kafka. round_ms: what its carrier keeps of a time."""

    name: str
    carrier: str
    code: str
    prefix: str
    title: str
    round_ms: int

    @property
    def source(self) -> str:
        """CloudEvents source."""
        return f"urn:vn:gov:{self.code}:{self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """task: the row's own id in the sample (`concept:instance`), unique. fields: the flat step."""

    task: str
    case: str
    agency: Agency
    word: str
    fields: Mapping[str, Any]

    @property
    def code(self) -> str:
        return str(self.fields["dossier_code"])

    @property
    def at(self) -> int:
        return int(self.fields["occurred_at"])
