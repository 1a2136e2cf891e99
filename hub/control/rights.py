"""What an organisation may publish: families, `source` values, and whose dossiers.

A right to an agency holds for all its parts (H11.12 covers H11.12.3), in either form of the code. What counts for a
dossier is the agency that stands in its code, which nobody can choose for a dossier that exists; the agency that the
data names is only what the sender says. An agency that works on dossiers received elsewhere gets that right as well.
"""

from __future__ import annotations

from collections.abc import Collection

from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.model import codes

EVERYTHING = "*"


def covers(agencies: Collection[str], agency: str) -> bool:
    """Tells whether one of the agencies covers this one; EVERYTHING covers all. BadRecord (`code`): it is no code."""
    code = codes.agency(agency).normal
    return EVERYTHING in agencies or codes.covers(agencies, code)


def check_family(organisation: Organisation, family: str) -> None:
    if family not in organisation.families:
        own = ", ".join(organisation.families) or "none"
        raise BadRecord("right", f"{organisation.name} may not publish {family} events, only: {own}", "type")


def check_source(organisation: Organisation, source: str) -> None:
    if source not in organisation.sources:
        raise BadRecord("right", f"{organisation.name} may not publish as source {source!r}", "source")


def check_agency(organisation: Organisation, agency: str, field: str) -> None:
    """field: where the agency stands, for the error."""
    if not covers(organisation.agencies, agency):
        raise BadRecord("right", f"{organisation.name} has no right to agency {agency}", field)
