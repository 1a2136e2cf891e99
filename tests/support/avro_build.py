"""The Avro functions as machine code, in a folder of their own: `python -m tests.support.avro_build FOLDER`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def compiler() -> str | None:
    """The C compiler that would be used."""
    return shutil.which(os.environ.get("CC", "cc").split()[0])


def sources(folder: Path) -> list[str]:
    """What is compiled, below `folder`. The modules with the records are not: mypyc does not know their metaclass."""
    made = sorted(path for path in (folder / "hub/avro/body").glob("*.py") if path.name != "__init__.py")
    paths = [folder / "hub/avro/reader.py", folder / "hub/avro/writer.py", *made]
    return [str(path.relative_to(folder)) for path in paths]


def build(folder: Path) -> None:
    """Only what the functions import goes along, so that nothing plain can be taken in their place."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    (folder / "hub").mkdir(parents=True)
    (folder / "hub/__init__.py").touch()
    shutil.copy(ROOT / "hub/errors.py", folder / "hub")
    shutil.copytree(ROOT / "hub/avro", folder / "hub/avro", ignore=shutil.ignore_patterns("__pycache__"))
    os.chdir(folder)
    options = ["--strict", "--follow-imports=silent", "--cache-dir=.mypy_cache"]
    extensions: Any = mypycify([*options, *sources(folder)], opt_level="3", group_name="avro", target_dir="c")
    command: Any = Distribution({"name": "avro", "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = ".", "o"
    command.ensure_finalized()
    command.run()


if __name__ == "__main__":
    build(Path(sys.argv[1]).absolute())
