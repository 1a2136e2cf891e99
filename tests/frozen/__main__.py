"""Compares what the tree makes with what is recorded: `python -m tests.frozen [PART ...]`. See README.md."""

from __future__ import annotations

import argparse
import sys

from tests.frozen import book


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.frozen", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of {', '.join(book.part_names())}")
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--record", action="store_true", help="write recorded/; for the commit that it is made from only")
    act.add_argument("--accept", metavar="ID", help="write the present differences as changes/ID.json, as C001")
    parser.add_argument("--anew", action="store_true", help="with --record: over what is recorded already")
    given = parser.parse_args(argv)
    parts = given.parts or book.part_names()
    if unknown := set(parts) - set(book.part_names()):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if given.record:
        return _record(parser, parts, given.anew)
    if given.accept:
        return _accept(parser, parts, given.accept)
    return _compare(parts)


def _compare(parts: list[str]) -> int:
    wanted, count = book.expected(), 0
    for part in parts:
        for name, difference in book.compare(part, wanted):
            print(f"{name}: {difference}")
            count += 1
    print(f"{count or 'no'} differences in {', '.join(parts)}", file=sys.stderr)
    return 1 if count else 0


def _record(parser: argparse.ArgumentParser, parts: list[str], anew: bool) -> int:
    if book.HASHES.exists() and not anew:
        parser.error("recorded.sha256 exists: what is recorded stays as it is. To allow a change, use --accept")
    print(f"{book.record(parts)} files written to {book.RECORDED}")
    return 0


def _accept(parser: argparse.ArgumentParser, parts: list[str], change: str) -> int:
    if not book.ID.fullmatch(change):
        parser.error("an id is C and three digits, as C001")
    if later := [own for own in book.change_ids() if own > change]:
        parser.error(f"{', '.join(later)} came after {change} and may rest on it; take a new id")
    print(f"{book.accept(change, parts)} differences written to {book.CHANGES / change}.json")
    if change not in book.table_lines():
        print(f"Now write the line of {change} in {book.TABLE}: what, why, how a running hub migrates.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
