"""Names of fields where the portal's are not those of the public sources: setting `field_names`.

{"NGAYTRALOI": "NgayTraLoi"} renames a field wherever it stands, {"DongBoDanhGia.Madonvi": "MaDonVi"} in one service
only, which counts before the other. What goes out is renamed, what comes back is named again as here, at any depth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

KNOWN: Mapping[str, list[str]] = json.loads(
    resources.files("hub_connectors.national_portal").joinpath("fields.json").read_text(encoding="utf-8")
)
"""call, answer, inbound -> names of fields that the connector sends, reads, and takes; services, doors -> where."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")


def checked(given: Mapping[str, str], known: Iterable[str], services: Iterable[str]) -> None:
    """ValueError names the first that is no field or service of ours, no name, or the same as another's."""
    fields, seen = set(known), dict[tuple[str, str], str]()
    for ours, theirs in given.items():
        service, _, field = ours.rpartition(".")
        if service and service not in services:
            raise ValueError(f"{ours}: there is no {service!r}; there are {', '.join(services)}")
        if field not in fields:
            raise ValueError(f"{ours}: the connector has no field {field!r}")
        if not _NAME.fullmatch(theirs):
            raise ValueError(f"{ours}: {theirs!r} is no name of a field")
        if (service, theirs) in seen:
            raise ValueError(f"{ours}: {seen[service, theirs]} has the name {theirs!r} already")
        seen[service, theirs] = ours


class Names:
    """given: as the setting, checked."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._everywhere = {ours: theirs for ours, theirs in given.items() if "." not in ours}
        self._own: dict[str, dict[str, str]] = {}
        for ours, theirs in given.items():
            service, _, field = ours.rpartition(".")
            if service:
                self._own.setdefault(service, {})[field] = theirs

    def out(self, service: str, value: Any) -> Any:
        """From our names to the portal's."""
        names = self._of(service)
        return _renamed(value, names) if names else value

    def back(self, service: str, value: Any) -> Any:
        """From the portal's names to ours."""
        names = self._of(service)
        return _renamed(value, {theirs: ours for ours, theirs in names.items()}) if names else value

    def _of(self, service: str) -> dict[str, str]:
        return self._everywhere | self._own.get(service, {})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(name, name): _renamed(inner, names) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_renamed(inner, names) for inner in value)
    return value
