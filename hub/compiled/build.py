"""Builds the core's step as machine code: `python -m hub.compiled.build FOLDER`.

By mypyc, which comes with mypy, and the machine's C compiler; about a minute. What is used and when: `hub.compiled`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hub import compiled

_NAME = compiled.LIBRARY.removesuffix("__mypyc")


def compiler() -> str | None:
    """The C compiler that would be used."""
    return shutil.which(os.environ.get("CC", "cc").split()[0]) or shutil.which("gcc")


def build(folder: Path) -> None:
    """Build into `folder`, which is emptied first. RuntimeError without mypyc or a compiler; what they have to say goes
    to standard error."""
    try:
        from mypyc.build import mypycify
        from setuptools import Distribution
    except ImportError as error:
        raise RuntimeError(f"{error.name} is not installed (it is among requirements/dev.txt)") from None
    if compiler() is None:
        raise RuntimeError("there is no C compiler (cc or gcc, or what CC names)")
    root, folder = compiled.source("hub.x").parents[1], folder.absolute()
    before = compiled.fingerprint()
    with tempfile.TemporaryDirectory(prefix="hub-compiled-") as scratch:
        os.chdir(root)
        sources = [str(compiled.source(module).relative_to(root)) for module in compiled.MODULES]
        options = ["--follow-imports=silent", "--ignore-missing-imports", f"--cache-dir={scratch}/mypy"]
        extensions: Any = mypycify([*options, *sources], opt_level="3", group_name=_NAME, target_dir=f"{scratch}/c")
        command: Any = Distribution({"name": _NAME, "ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = f"{scratch}/lib", f"{scratch}/o"
        command.ensure_finalized()
        command.run()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(f"{scratch}/lib", folder)
    files = {name: _file(folder, name) for name in (compiled.LIBRARY, *compiled.MODULES)}
    manifest = {"fingerprint": before, "files": files}
    (folder / compiled.MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="ascii")


def _file(folder: Path, module: str) -> str:
    """The built file, below `folder`."""
    *parents, last = module.split(".")
    (found,) = folder.joinpath(*parents).glob(f"{last}.*")
    return str(found.relative_to(folder))


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).absolute()
    if compiled.found(folder)[1]:
        try:
            build(folder)
        except RuntimeError as error:
            sys.exit(f"not built: {error}")
    print(f"built; use it with {compiled.VARIABLE}={folder}")


if __name__ == "__main__":
    main()
