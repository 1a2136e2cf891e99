"""Dead letters: at least one for each reason, from each stage that writes one."""

from __future__ import annotations

from typing import Any

from tests.frozen.parts import _letters_core, _letters_delivery, _letters_doors


def outputs() -> dict[str, Any]:
    return {
        "core": _letters_core.of_the_core(),
        "crash": _letters_core.of_crashes(),
        "reconcile": _letters_core.of_reconcile(),
        "intake": _letters_doors.of_intake(),
        "gateway": _letters_doors.of_the_gateway(),
        "source": _letters_doors.of_sources(),
        "deliver": _letters_delivery.settlements(),
    }
