"""Events and states that were written with a schema other than the present one.

`old_states.json`: state records as the program of that version left them: body in the released schema of that name and
number, headers in the layout of then ("Dossier 1": kinds of steps numbered without RESCHEDULED, and no key for
parent_code; "Procedure 1": keys of ten fields).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.frozen.inputs import Event, procedure, step
from tests.frozen.inputs.catalogue import FULL
from tests.frozen.inputs.dossiers import APPLICANT, FEE, FORM, RESULT

OLD_STATES: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("old_states.json").read_text("utf-8"))

RECEIVED = step("RECEIVED", "2026-01-05 08:00", applicant=APPLICANT, attachments=[FORM], fees=[FEE],
                due_at="2026-01-12 17:00", agency_code="H11.12")  # fmt: skip
LISTS = RECEIVED | {"attachments": [FORM | {"id": f"f{n}"} for n in range(5)] + [RESULT],
                    "fees": [FEE | {"code": f"LP0{n}"} for n in range(3)]}  # fmt: skip

WRITTEN: dict[str, tuple[str, int, Event]] = {
    "DossierStep 1": ("DossierStep", 1, RECEIVED),
    "DossierStep 2": ("DossierStep", 2, RECEIVED | {"parent_code": "H11.05-260105-0009"}),
    "DossierStep 3, another id": ("DossierStep", 3, RECEIVED),
    "DossierStep 2, passed on with a limit": ("DossierStep", 2, step(
        "TRANSFERRED", "2026-01-12 08:00", transferred_to="H11.05", transfer_limit=2.0, transfer_limit_unit="Ngày")),
    "ProcedureChange 1": ("ProcedureChange", 1, procedure("PUBLISHED", "2026-01-05 08:00", name="Tên", fee_vnd=75_000)),
}  # fmt: skip
"""Record, released version, and the event that is written with it."""

BLOCKS: dict[str, tuple[str, int, int, Event]] = {
    "DossierStep 3, blocks of one": ("DossierStep", 3, 1, LISTS),
    "DossierStep 3, blocks of two": ("DossierStep", 3, 2, LISTS),
    "DossierStep 2, blocks of four": ("DossierStep", 2, 4, LISTS),
    "ProcedureChange 2, blocks of one": ("ProcedureChange", 2, 1, FULL),
}
"""Record, released version, items in a block, event."""

AFTER: dict[str, list[Event]] = {
    "Dossier 1": [step("FINISHED", "2026-01-12 09:00"), step("RECEIVED", "2026-01-05 08:30", abstract="Muộn")],
    "Dossier 2": [step("RESCHEDULED", "2026-01-12 10:00", due_at="2026-01-14 17:00"),
                  step("WITHDRAWN", "2026-01-13 08:00")],
    "Procedure 1": [FULL | {"change": "AMENDED", "occurred_at": "2026-02-02 08:00"}],
    "OnlineService 1": [{"service_code": "1.004194.01", "change": "WITHDRAWN", "occurred_at": "2026-02-02 08:00"}],
}  # fmt: skip
"""What comes to an old state."""
