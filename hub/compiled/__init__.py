"""The core's step as machine code, where somebody built it (`python -m hub.compiled.build FOLDER`, needs a C compiler).

The modules in Python are the truth and all that is installed. A folder of built ones is used only where `HUB_COMPILED`
names it, and only if every module in it was built from the very source that stands here, by the same Python: else all
of them are left aside, and `state` says why. This is decided before any module of the hub is imported, since built and
plain modules of one build must not meet.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

VARIABLE = "HUB_COMPILED"
"""Environment: the folder with the built modules; empty or unset: plain Python."""
MANIFEST = "compiled.json"
LIBRARY = "hub_core__mypyc"
"""The module that holds the machine code of all of them."""
MODULES = (
    "hub.model.codes",
    "hub.model.deadline_watch",
    "hub.model.derived_dates",
    "hub.model.facts",
    "hub.model.step_history",
    "hub.model.joint",
    "hub.model.lifecycle",
    "hub.model.text",
    "hub.model.times",
    "hub.core.catalogue_entry",
    "hub.core.dossier",
    "hub.core.normalise",
    "hub.core.dedupe",
    "hub.core.step",
    "hub.core.key_state",
    "hub.events.envelope",
    "hub.avro.reader",
    "hub.avro.writer",
    "hub.avro.body.delivery",
    "hub.avro.body.dossier",
    "hub.avro.body.enums",
    "hub.avro.body.procedure",
    "hub.avro.body.service",
)

_ROOT = Path(__file__).parents[2]
_state = "plain Python"


def state() -> str:
    """What this process runs, as a sentence: `plain Python`, or `compiled …`, or why what was built is not used."""
    return _state


def source(module: str) -> Path:
    """The file of one of MODULES."""
    return _ROOT.joinpath(*module.split(".")).with_suffix(".py")


def fingerprint() -> dict[str, str]:
    """What a build depends on: the Python, and each module's source as SHA-256."""
    found = {module: hashlib.sha256(source(module).read_bytes()).hexdigest() for module in MODULES}
    return {"python": f"{sys.implementation.cache_tag} {sys.platform}"} | found


def install() -> None:
    """Have MODULES imported from the folder in `HUB_COMPILED`, if it is set and its build is of these sources."""
    global _state
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        return
    files, fault = found(Path(folder))
    if fault:
        _state = f"plain Python, since {VARIABLE} names {fault}"
        return
    sys.meta_path.insert(0, _Finder(files))
    _state = f"compiled ({len(MODULES)} modules)"


def found(folder: Path) -> tuple[dict[str, Path], str]:
    """(the file of each module, what is wrong with that build: empty if nothing)."""
    try:
        built = json.loads((folder / MANIFEST).read_text(encoding="ascii"))
        files = {module: folder / file for module, file in built["files"].items()}
        unlike = [name for name, value in fingerprint().items() if built["fingerprint"].get(name) != value]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}, "no folder of a build"
    if unlike or files.keys() != {LIBRARY, *MODULES} or not all(file.exists() for file in files.values()):
        return files, f"a build that is not of these sources ({', '.join(unlike) or 'files are missing'})"
    return files, ""


class _Finder(MetaPathFinder):
    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = self._files.get(fullname)
        if file is None:
            return None
        return spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, str(file)))
