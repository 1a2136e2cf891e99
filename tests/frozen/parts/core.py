"""`hub.events`, state records and `hub.dead-letters` as the core makes them of the cases in `inputs/`."""

from __future__ import annotations

from typing import Any

from tests.frozen.inputs import arrivals, catalogue, deadlines, dossiers
from tests.frozen.parts._core import worked

CASES = {
    f"{folder}/{name}": case
    for folder, found in (
        ("dossier", dossiers.CASES),
        ("dossier", arrivals.CASES),
        ("deadline", deadlines.CASES),
        ("catalogue", catalogue.CASES),
    )
    for name, case in found.items()
}


def outputs() -> dict[str, Any]:
    return {name: worked(case) for name, case in CASES.items()}
