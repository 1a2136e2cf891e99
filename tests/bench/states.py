"""State records as the core writes them, of many dossiers that have long been at work: each with its full ring.

Made by the core's own step for as many dossiers as there are kinds in the generated input, and the same again under
the codes of all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.avro.codec import Codec
from hub.config import Settings
from hub.core.step import make_step
from hub.kafka.topics import DOSSIERS
from hub.stream.stage import Record, Stored
from tests.bench.dossiers import Wire, code_of, step, wire
from tests.support.core import RECORDED, Core

PLACES = 70
"""Steps of a dossier whose state has stopped growing: the ring holds 64."""
_KINDS = 180  # agencies, procedures and kinds of step repeat with the number
_WAITS = {"SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN"}


def working(number: int, place: int) -> dict[str, Any]:
    """`dossiers.step` without waits: each is kept for good, and these dossiers would have more without end."""
    datum = step(number, place)
    return datum | {"step": "IN_PROCESS"} if datum["step"] in _WAITS else datum


def states(codec: Codec, size: int) -> Iterator[Wire]:
    """Of dossiers 0 … size-1, about 2 kB each."""
    models = [_model(codec, number) for number in range(min(size, _KINDS))]
    for number in range(size):
        code, stored = models[number % _KINDS]
        own = code_of(number).encode()
        yield own, stored.value.replace(code, own), list(stored.headers)


def _model(codec: Codec, number: int) -> tuple[bytes, Stored]:
    core, code = Core(), code_of(number).encode()
    work = make_step(codec, Settings())
    for place in range(PLACES):
        key, value, headers = wire(codec, number, working(number, place), f"{number}/{place}")
        outputs = work([Record("in", 0, place, RECORDED, key, value, headers)], core)
        core.state |= {key: stored for key, stored in outputs.state.items() if stored}
    return code, core.state[DOSSIERS, code]
