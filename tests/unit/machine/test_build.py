"""What a process says of the modules that it runs."""

from __future__ import annotations

import logging
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from types import ModuleType

from hub.admin import checks
from hub.config import Settings
from hub.machine import build


def module(name: str, file: str | None) -> ModuleType:
    made = ModuleType(name)
    made.__file__ = file
    return made


def test_compiled_modules_are_told_by_room() -> None:
    native = EXTENSION_SUFFIXES[0]
    assert native.endswith(".so")
    loaded = [
        module("hub.core.step", f"/x/hub/core/step{native}"),
        module("hub.avro.writer", f"/x/hub/avro/writer{native}"),
        module("hub.avro.body.dossier", f"/x/hub/avro/body/dossier{native}"),
        module("hub.core.role", "/x/hub/core/role.py"),
        module("hub", None),
        module("orjson", f"/x/orjson{native}"),
        module("hubble.core", f"/x/hubble/core{native}"),
    ]
    assert build.told(loaded) == "compiled: avro (body.dossier, writer), core (step)"


def test_plain_is_told_as_plain() -> None:
    assert build.told([module("hub.core.step", "/x/hub/core/step.py"), logging]) == "plain Python"


def test_doctor_says_what_the_loaded_modules_are() -> None:
    """The core's step is loaded before it is looked at."""
    finding = checks.program(Settings())
    assert "hub.core.step" in sys.modules
    native = (sys.modules["hub.core.step"].__file__ or "").endswith(tuple(EXTENSION_SUFFIXES))
    assert finding.what == "program"
    assert finding.ok is True
    assert finding.sentence.startswith("compiled: avro (") if native else finding.sentence == "plain Python"
