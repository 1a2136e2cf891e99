"""Avro bodies of every record of the hub, most of them damaged, and what a reader says to them.

Made by hand after the Avro specification, from the schemas and a seed: no code of the hub. A thousand values have one
record and one seed, so any thousand can be made alone. The verdicts of commit 992bdaf's reader (hub/avro) stand in
tests/data/avro_verdicts.json, a hash a thousand. Recorded in that checkout, with this file put into it:
`python -m tests.support.avro_damaged record FILE`. Where a schema changes, record anew with the plain reader.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parents[2] / "schemas"
RECORDS = ("DossierStep", "Dossier", "DossierEvent", "ProcedureChange", "Procedure", "ProcedureEvent", "ServiceChange",
           "OnlineService", "ServiceEvent", "Delivery", "DossierDeadline", "DossierDeadlineEvent")  # fmt: skip
THOUSANDS = 1_000
BODIES = 40
HEAD = b"\0\0\0\0\7"

# (value in wire format, where the body begins) -> the body written again, or an error with a `reason`
Rewrite = Callable[[bytes, int], bytes]


def varint(number: int, more: int = 0) -> bytes:
    """Zigzag, seven bits a byte; `more`: needless bytes after it."""
    number = number << 1 if number >= 0 else -2 * number - 1
    out = []
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes([*[byte | 128 for byte in out], *[128] * (more - 1), 0]) if more else bytes(out)


NUMBERS = (
    0,
    1,
    -1,
    63,
    64,
    -64,
    -65,
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    2**62,
    2**63 - 1,
    -(2**63),
    1_764_201_600_000,
)
TEXTS = ("", "a", "Nguyễn Văn A", "H01.01-251127-0001", "đơn vị " * 12, "\U0001f600", "\0")
DOUBLES = (0.0, -0.0, 1.5, float("inf"), -5e-324, struct.unpack("<d", b"\1\0\0\0\0\0\xf8\x7f")[0])
EXTREMES = (
    *map(varint, NUMBERS), varint(0, 1), varint(1, 3), varint(-1, 9), b"\x80" * 9 + b"\x02", b"\xff" * 9 + b"\x01",
    b"\xff" * 10, b"\xff" * 11, b"\x80" * 30, varint(2**63), varint(2**70), varint(-3) + varint(5), varint(200),
    b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x02\x02\x02\x02", b"\x00" * 12,
)  # fmt: skip


class Maker:
    """Values by a seed. Only `random.random` is used, which gives the same numbers in every version of Python."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def below(self, count: int) -> int:
        return int(self.random() * count)

    def one(self, of: Any) -> Any:
        return of[self.below(len(of))]

    def raw(self, count: int) -> bytes:
        return bytes(self.below(256) for _ in range(count))

    def body(self, schema: Any) -> bytes:
        """A value that fits the schema."""
        if isinstance(schema, list):
            branch = self.below(2)
            return varint(branch) + (self.body(schema[branch]) if branch else b"")
        if isinstance(schema, str) and schema.startswith("vn.hub."):
            schema = loaded(schema)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "record":
            return b"".join(self.body(field["type"]) for field in schema["fields"])
        if kind == "array":
            return self._array(schema["items"])
        if kind == "enum":
            return varint(self.below(len(schema["symbols"])), int(self.random() * 1.05))
        if kind == "string":
            raw = self.one(TEXTS).encode()
            return varint(len(raw), int(self.random() * 1.05)) + raw
        if kind == "boolean":
            return bytes([self.below(2)])
        if kind == "double":
            return struct.pack("<d", self.one(DOUBLES))
        number = self.one(NUMBERS)
        return varint(
            number if kind == "long" or -(2**31) <= number < 2**31 else self.below(9), int(self.random() * 1.05)
        )

    def _array(self, items: Any) -> bytes:
        """In one block, in several, or, as Java writes them, with their size."""
        out = b""
        for _ in range(self.below(3)):
            count = 1 + self.below(3)
            block = b"".join(self.body(items) for _ in range(count))
            out += (varint(count) if self.random() < 0.7 else varint(-count) + varint(len(block))) + block
        return out + b"\0"

    def damaged(self, bodies: list[bytes]) -> bytes:
        """One of them, in nine of ten cases spoilt."""
        body = self.one(bodies)
        at, how = self.below(len(body)), self.below(10)
        if how == 0:
            return body
        if how in (1, 2):
            for _ in range(1 + self.below(3)):
                at = self.below(len(body))
                body = body[:at] + self.raw(1) + body[at + 1 :]
            return body
        if how == 3:
            return body[:at]
        if how == 4:
            return body[:at] + body[at + 1 + self.below(4) :]
        if how == 5:
            return body[:at] + self.one(EXTREMES) + body[at:]
        if how in (6, 7):
            extreme = self.one(EXTREMES)
            return body[:at] + extreme + body[at + (1 if how == 6 else len(extreme)) :]
        if how == 8:
            other = self.one(bodies)
            return body[:at] + other[self.below(len(other)) :]
        return body + self.raw(1 + self.below(3)) if self.random() < 0.5 else self.raw(self.below(60))


_loaded: dict[str, Any] = {}


def loaded(name: str) -> Any:
    if name not in _loaded:
        _loaded[name] = json.loads((SCHEMAS / f"{name}.avsc").read_text("utf-8"))
    return _loaded[name]


def thousand(number: int) -> tuple[str, list[bytes]]:
    """(full name of the record, a thousand bodies)."""
    name = f"vn.hub.{RECORDS[number % len(RECORDS)]}"
    maker = Maker(number)
    bodies = [maker.body(name) for _ in range(BODIES)]
    return name, [maker.damaged(bodies) for _ in range(1_000)]


def verdict(rewrite: Rewrite, body: bytes) -> bytes:
    """The body written again, or the word why it was refused."""
    try:
        return b"=" + rewrite(HEAD + body, len(HEAD))
    except Exception as error:
        reason = getattr(error, "reason", None)
        if type(error).__name__ != "DecodeError" or reason is None:
            raise
        return str(reason).encode()


def verdicts(rewriters: Callable[[str], Rewrite], numbers: Iterable[int]) -> tuple[list[str], Counter[str]]:
    """(a hash a thousand, how many values got which verdict)."""
    hashes, counts = [], Counter[str]()
    for number in numbers:
        name, bodies = thousand(number)
        rewrite, digest = rewriters(name), hashlib.blake2b(digest_size=4)
        for body in bodies:
            said = verdict(rewrite, body)
            counts["read" if said.startswith(b"=") else said.decode()] += 1
            digest.update(len(said).to_bytes(4, "big") + said)
        hashes.append(digest.hexdigest())
    return hashes, counts


def schemas_hash() -> str:
    """Of what the values are made from: docs and order of properties aside."""
    found = hashlib.blake2b(digest_size=8)
    for path in sorted(SCHEMAS.glob("*.avsc")):
        schema = json.loads(path.read_text("utf-8"))
        fields = [(field["name"], field["type"]) for field in schema.get("fields", ())]
        found.update(json.dumps([schema["name"], fields, schema.get("symbols")], sort_keys=True).encode())
    return found.hexdigest()


def of_the_hub(name: str) -> Rewrite:
    from hub.avro.bodies import BODIES as HUB

    read, write = HUB[name].read, HUB[name].write
    return lambda value, at: write(read(value, at))


def main() -> None:
    """What the hub's reader and writer say: into a file, or printed for a process that runs another build."""
    from hub.avro import reader

    hashes, counts = verdicts(of_the_hub, range(THOUSANDS))
    if sys.argv[1] == "record":
        made = {"schemas": schemas_hash(), "counts": dict(sorted(counts.items())), "hashes": hashes}
        Path(sys.argv[2]).write_text(json.dumps(made, indent=0) + "\n", "ascii")
    else:
        print(json.dumps({"file": reader.__file__, "hashes": hashes, "counts": counts}))


if __name__ == "__main__":
    main()
