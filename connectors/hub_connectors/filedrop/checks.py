"""What `hub doctor` looks at: that nothing but the drop is an agency's to write, and that no link stands anywhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from hub.connect.source import Check
from hub_connectors.filedrop.handles import Folder, LinkError, opened
from hub_connectors.filedrop.mapping import OLD_NAME
from hub_connectors.filedrop.settings import Places

OLD_CURSOR = ".cursor.json"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MOST_NAMES = 10_000


def checks(places: Places) -> list[Check]:
    """One finding for each place: ok, or every fault in words."""
    found = []
    for title, path, faults in (
        ("filedrop mappings", places.mappings, _kept(places, places.mappings, "*.toml")),
        ("filedrop state", places.state, _kept(places, places.state, "*")),
        ("filedrop results", places.results, _kept(places, places.results, "*", "*/*")),
        ("filedrop drop", places.drop, _drop(places)),
    ):
        if not path.exists():
            found.append(Check(title, None, f"{path} is not there yet; the source makes it at its start"))
            continue
        said = list(faults)
        found.append(Check(title, not said, "; ".join(said) or f"{path}: owner and mode as they should be, no links"))
    return found


def left_by_an_older_version(folder: Folder, mapping: Path) -> list[str]:
    """Mapping and cursor in an agency's own folder are not used, for the agency can write them: what to do instead."""
    found = []
    if folder.has(OLD_NAME):
        found.append(
            f"{folder.path / OLD_NAME} is not used, the agency can write it: look it through and move it to {mapping}"
        )
    if folder.has(OLD_CURSOR):
        found.append(
            f"{folder.path / OLD_CURSOR} is not used, the agency can write it: remove it; a file that was begun is "
            "read again from the start, with the same ids"
        )
    return found


def _kept(places: Places, root: Path, *patterns: str) -> Iterator[str]:
    """Faults of a place that only operator and hub may write. The hub is whoever owns the data folder."""
    own = {0, os.geteuid(), _owner(places.state.parents[1])}
    for path in (root, *(found for pattern in patterns for found in sorted(root.glob(pattern)))):
        state = path.lstat()
        if stat.S_ISLNK(state.st_mode):
            yield f"{path} is a link; put the thing itself there"
            continue
        if state.st_uid not in own:
            yield f"{path} belongs to user {state.st_uid}; it must be root's or the hub's"
        if state.st_mode & _OTHERS_WRITE:
            yield f"{path} can be written by others (mode {state.st_mode & 0o7777:04o}); chmod go-w"


def _drop(places: Places) -> Iterator[str]:
    """Faults of the drop: each folder in it is an agency's, the drop itself is not."""
    yield from _kept(places, places.drop)
    try:
        with opened(places.drop) as root:
            for name in sorted(root.names(_MOST_NAMES)):
                yield from _folder(root, name, places)
    except LinkError as error:
        yield str(error.strerror)
    for mapping in sorted(places.mappings.glob("*.toml")):
        if not (places.drop / mapping.stem).exists():
            yield f"there is no folder {places.drop / mapping.stem} for {mapping}"


def _folder(root: Folder, name: str, places: Places) -> Iterator[str]:
    state = root.stat(name)
    if state is None or stat.S_ISREG(state.st_mode):
        return
    if not stat.S_ISDIR(state.st_mode):
        yield f"{root.path / name} is no folder, a link perhaps; it is not read"
        return
    if state.st_mode & stat.S_IWOTH:
        yield f"{root.path / name} can be written by everybody (mode {state.st_mode & 0o7777:04o}); chmod o-w"
    with root.inner(name) as folder:
        yield from left_by_an_older_version(folder, places.mappings / f"{name}.toml")


def _owner(path: Path) -> int:
    return path.stat().st_uid if path.exists() else 0
