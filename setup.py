"""Says which folders become which packages of the wheel, and which modules are compiled (decision 24). Everything else
about the build stands in pyproject.toml.

Only names that begin with `hub` are taken among everybody's import names: `connectors/` is the folder in which the
package `hub_connectors` lies, and `schemas/` is shipped whole as the package of data `hub_schemas`; a compiled wheel
also has `hub__mypyc`, the machine code.

`HUB_BUILD` in the environment: `compiled`; `plain`; `auto`, the default, is compiled where there are a C compiler and
Python's headers. An editable checkout is plain, unless `HUB_BUILD=compiled` is said.
"""

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Extension, find_packages, setup

# What is compiled: hot code with types. To add a module, add it here.
# Plain stay hub/avro/records: mypyc does not know the metaclass of a Struct.
COMPILED = (
    "hub/avro/codec.py",
    "hub/avro/reader.py",
    "hub/avro/writer.py",
    "hub/avro/body/[!_]*.py",
    "hub/events/envelope.py",
    "hub/events/identity.py",
    "hub/model/calendar.py",
    "hub/model/codes.py",
    "hub/model/dates.py",
    "hub/model/deadline_watch.py",
    "hub/model/deadlines.py",
    "hub/model/derived_dates.py",
    "hub/model/facts.py",
    "hub/model/joint.py",
    "hub/model/lifecycle.py",
    "hub/model/step_history.py",
    "hub/model/text.py",
    "hub/model/times.py",
    "hub/core/catalogue_entry.py",
    "hub/core/dedupe.py",
    "hub/core/dossier.py",
    "hub/core/key_state.py",
    "hub/core/normalise.py",
    "hub/core/processors.py",
    "hub/core/step.py",
    "hub/ingress/acknowledged.py",
    "hub/ingress/admission.py",
    "hub/ingress/cloudevents.py",
    "hub/ingress/json_data.py",
    "hub/ingress/record.py",
    "hub/ingress/times.py",
    "hub/stream/packed.py",
)


def lacking() -> str:
    """What this machine lacks for compiling; empty: nothing."""
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    if not shutil.which(compiler.split()[0]):
        return f"there is no C compiler ({compiler.split()[0]})"
    header = Path(sysconfig.get_path("include"), "Python.h")
    return "" if header.is_file() else f"there is no Python.h ({header})"


def compiles() -> bool:
    """Whether this build compiles. SystemExit: it was told to and cannot, or HUB_BUILD is none of the three."""
    how = os.environ.get("HUB_BUILD") or "auto"
    if how not in ("compiled", "plain", "auto"):
        sys.exit(f"HUB_BUILD must be compiled, plain or auto; got {how}")
    # setuptools also calls this file for names and versions alone
    wheel, editable = "bdist_wheel" in sys.argv, {"editable_wheel", "develop"} & set(sys.argv)
    if how == "plain" or not (wheel or (editable and how == "compiled")):
        return False
    lacks = lacking()
    if lacks and how == "compiled":
        sys.exit(f"HUB_BUILD=compiled, but {lacks}")
    if lacks:
        print(f"the hub is built plain: {lacks}", file=sys.stderr)
    return not lacks


def extensions(scratch: str) -> list[Extension]:
    """COMPILED as C. Whatever mypyc has to say against a module ends the build."""
    from mypyc.build import mypycify

    # no configuration file: its plugins are for `make types`, and a build need not have them
    options = ["--config-file=", "--strict", "--follow-imports=silent", "--ignore-missing-imports",
               f"--cache-dir={scratch}/mypy"]  # fmt: skip
    sources = sorted({str(path) for pattern in COMPILED for path in Path().glob(pattern)})
    return mypycify([*options, *sources], opt_level="3", group_name="hub", target_dir=f"{scratch}/c")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hub-build-") as scratch:
        setup(
            packages=[
                *find_packages(include=["hub", "hub.*"]),
                *find_packages("connectors", exclude=["*.tests", "*.tests.*"]),
                "hub_schemas",
            ],
            package_dir={"hub_connectors": "connectors/hub_connectors", "hub_schemas": "schemas"},
            ext_modules=extensions(scratch) if compiles() else [],
            # a folder of its own: what an earlier build left would come into the wheel
            options={"build": {"build_base": scratch}},
        )


if __name__ == "__main__":
    main()
