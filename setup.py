"""Says which folders become which packages of the wheel. Everything else about the build stands in pyproject.toml.

Only names that begin with `hub` are taken among everybody's import names: `connectors/` is the folder in which the
package `hub_connectors` lies, and `schemas/` is shipped whole as the package of data `hub_schemas`.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["hub", "hub.*"]),
        *find_packages("connectors", exclude=["*.tests", "*.tests.*"]),
        "hub_schemas",
    ],
    package_dir={"hub_connectors": "connectors/hub_connectors", "hub_schemas": "schemas"},
)
