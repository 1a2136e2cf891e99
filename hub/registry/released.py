"""Schemas may only change so that old records stay readable: `schemas/*.avsc` against `schemas/released/`.

`python -m hub.registry.released` checks and names every field that breaks a rule; with `add` it appends the present
schemas as the next version where they changed. Layout: `released/<record>/<version>.avsc`, the whole schema with all
types that it refers to, and `released/released.sha256`, one line a file. What is released is never edited or removed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib import resources
from pathlib import Path

from hub.avro.compatibility import differences
from hub.avro.generic import schema_json
from hub.avro.schema_text import Field, Node, canonical, named_types, parse
from hub.registry.client import OWN_RECORDS
from hub.untyped import JsonObject

SUMS = "released.sha256"

PERSONAL_WIRE_NAMES = frozenset(
    {
        "ChuHoSo", "SoDinhDanh", "MaDoiTuong", "Email", "SoDienThoai", "Fax", "ThongTinKhac", "TrichYeuHoSo",
        "ThongTinTra", "GhiChu", "NguoiXuLy", "NoiDungXuLy", "TenTepDinhKem", "DuongDanTaiTepTin",
    }
)  # fmt: skip
"""Wire names of DongBoHoSoMC and CapNhatTienDoHoSoMC that hold personal data (docs/field/packets.md)."""


def own_schemas() -> JsonObject:
    """Record name -> its whole schema, as it stands in `schemas/` now."""
    return {name: schema_json(name) for name in OWN_RECORDS}


def problems(released: Path, schemas: JsonObject) -> list[str]:
    """One sentence for each broken rule; empty if all is well. `released`: the folder of the released copies."""
    found = unmodified(released)
    for name, schema in schemas.items():
        node = parse(schema)
        found += described(node)
        versions = released_versions(released, name)
        if not versions:
            found.append(f"{name} was never released; run `python -m hub.registry.released add`")
        for number, path in versions:
            old = parse(json.loads(path.read_text("utf-8")))
            found += [f"{name} cannot read what version {number} wrote: {d}" for d in differences(node, old, True)]
            found += _marks_lost(name, node, old, number)
    return found


def released_versions(released: Path, name: str) -> list[tuple[int, Path]]:
    """(version, file) of one record, oldest first."""
    return sorted((int(path.stem), path) for path in (released / name).glob("*.avsc"))


def unmodified(released: Path) -> list[str]:
    """Every file is listed with its SHA-256, every listed file is there, versions count 1, 2, 3 …"""
    listed = _listed(released)
    present = {str(p.relative_to(released)): p for p in sorted(released.glob("*/*.avsc"))}
    found = [f"released/{name} is not in {SUMS}" for name in present.keys() - listed.keys()]
    found += [f"released/{name} was removed; what is released stays" for name in listed.keys() - present.keys()]
    for name in present.keys() & listed.keys():
        if hashlib.sha256(present[name].read_bytes()).hexdigest() != listed[name]:
            found.append(f"released/{name} was edited; what is released stays as it is, add a new version")
    for folder in {p.parent for p in present.values()}:
        numbers = [number for number, _ in released_versions(released, folder.name)]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"released/{folder.name} has versions {numbers}; they must count 1, 2, 3 …")
    return sorted(found)


def _listed(released: Path) -> dict[str, str]:
    """File -> SHA-256, from lines as `sha256sum` writes them."""
    path = released / SUMS
    lines = path.read_text("ascii").splitlines() if path.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def described(node: Node) -> list[str]:
    """Every field has a doc; personal data is marked and can be withheld (nullable)."""
    found: list[str] = []
    for full, named in named_types(node).items():
        for field in named.fields:
            where = f"{full}.{field.name}"
            doc = str(field.raw.get("doc", "")).strip()
            if not doc:
                found.append(f"{where} has no doc; give its meaning and its Vietnamese or wire name")
            personal = field.raw.get("personal", False)
            if _wire_name(doc) in PERSONAL_WIRE_NAMES and personal is not True:
                found.append(f'{where} is {_wire_name(doc)}, personal data: mark it with "personal": true')
            if personal is not False and not _nullable(field):
                found.append(f"{where} is marked personal and cannot be null, so it could not be withheld")
    return found


def _wire_name(doc: str) -> str:
    return doc.split(" ", 1)[0].rstrip(":;,.") if doc else ""


def _nullable(field: Field) -> bool:
    return field.node.kind == "union" and field.node.branches[0].kind == "null"


def _marks_lost(name: str, node: Node, old: Node, number: int) -> list[str]:
    now = {f"{full}.{f.name}": f.raw.get("personal") for full, n in named_types(node).items() for f in n.fields}
    before = [f"{full}.{f.name}" for full, n in named_types(old).items() for f in n.fields if f.raw.get("personal")]
    return [
        f"{where} was marked personal in version {number} of {name} and no longer is"
        for where in before
        if where in now and now[where] is not True
    ]


def add(released: Path, schemas: JsonObject) -> list[Path]:
    """Append what changed as the next version; returns the new files. ValueError if a rule would be broken."""
    broken = [p for p in problems(released, schemas) if "never released" not in p]
    if broken:
        raise ValueError("\n".join(broken))
    new: list[Path] = []
    for name, schema in schemas.items():
        versions = released_versions(released, name)
        if versions and canonical(json.loads(versions[-1][1].read_text("utf-8"))) == canonical(schema):
            continue
        path = released / name / f"{len(versions) + 1}.avsc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(canonical(schema), ensure_ascii=False, indent=1) + "\n", "utf-8")
        with (released / SUMS).open("a", encoding="ascii") as sums:
            sums.write(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(released)}\n")
        new.append(path)
    return new


def main(arguments: list[str]) -> int:
    """Exit code 0: all is well; 1: the printed rules are broken; 2: wrong use, or no source tree."""
    released = Path(str(resources.files("hub_schemas"))) / "released"
    if not released.is_dir() or arguments not in ([], ["check"], ["add"]):
        print("usage, in the project's source tree: python -m hub.registry.released [check|add]", file=sys.stderr)
        return 2
    try:
        for path in add(released, own_schemas()) if arguments == ["add"] else []:
            print(f"released {path.relative_to(released)}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    found = problems(released, own_schemas())
    print("\n".join(found) or f"{len(OWN_RECORDS)} record schemas are compatible with all that was released")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
