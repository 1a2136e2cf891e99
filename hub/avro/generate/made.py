"""Which files are made, and their text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hub.avro.generate import bodies, doors, records
from hub.avro.generate.schema import Made, Schemas
from hub.avro.generate.text import NOTE, docstring

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "dossier": (
        "vn.hub.DossierStep",
        "vn.hub.Dossier",
        "vn.hub.DossierEvent",
        "vn.hub.DossierDeadline",
        "vn.hub.DossierDeadlineEvent",
    ),
    "procedure": ("vn.hub.ProcedureChange", "vn.hub.Procedure", "vn.hub.ProcedureEvent"),
    "service": ("vn.hub.ServiceChange", "vn.hub.OnlineService", "vn.hub.ServiceEvent"),
    "delivery": ("vn.hub.Delivery",),
}
"""The records that are sent, by family. What stands in them goes with the first that needs it; enums stand apart."""

POSTED = ("vn.hub.DossierStep", "vn.hub.ProcedureChange", "vn.hub.ServiceChange")
"""The records that may be posted as JSON."""

FOLDERS = ("records", "body", "doors")
"""Wholly made; `bodies.py` stands beside them."""


def made_files(schemas_folder: Path, families: Mapping[str, tuple[str, ...]] = FAMILIES) -> dict[str, str]:
    """Path below hub/avro -> text. Unfit: a schema is not understood."""
    schemas = Schemas(schemas_folder)
    members: dict[str, list[Made]] = {}
    for family, roots in families.items():
        known = set(schemas.records)
        for root in roots:
            schemas.add(root)
        members[family] = [made for name, made in schemas.records.items() if name not in known]
    homes = {made.name: family for family, all_made in members.items() for made in all_made}
    homes |= dict.fromkeys(schemas.enums, "enums")
    enums = sorted(schemas.enums.values(), key=lambda enum: enum.name)
    sent = {
        family: [made for made in all_made if made.full in families[family]] for family, all_made in members.items()
    }
    files = {
        "records/__init__.py": records.package(homes),
        "records/enums.py": records.enums_module(enums),
        "body/__init__.py": docstring(f"The records' Avro bodies, read and written. {NOTE}"),
        "body/enums.py": bodies.enums_module(enums),
        "bodies.py": bodies.bodies_module(sent),
    }
    posted = {family: _posted(all_made) for family, all_made in members.items()}
    fewer = doors.fewer_words(schemas.enums, (made for inner in posted.values() for made in inner))
    files["doors/enums.py"] = doors.enums_module(fewer)
    whole = [made for made in schemas.records.values() if made.full in POSTED]
    files["doors/__init__.py"] = doors.package(whole, homes)
    for family, all_made in members.items():
        names = {made.name for made in sent[family]}
        files[f"records/{family}.py"] = records.records_module(family, all_made, homes)
        files[f"body/{family}.py"] = bodies.body_module(family, all_made, names, schemas, homes)
        if posted[family]:
            files[f"doors/{family}.py"] = doors.doors_module(family, posted[family], fewer)
    return {path: "\n".join(lines) + "\n" for path, lines in files.items()}


def _posted(members: list[Made]) -> list[Made]:
    """The records of a family that may be posted, each after what stands in it."""
    wanted = {made.name for made in members if made.full in POSTED}
    for made in reversed(members):
        if made.name in wanted:
            wanted |= {field.kind.name for field in made.fields if field.kind.base == "record"}
    return [made for made in members if made.name in wanted]
