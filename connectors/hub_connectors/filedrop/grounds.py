"""The places of the file drop, opened: one process at a time, and no link in the way to an agency's folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import StartError
from hub_connectors.filedrop import results
from hub_connectors.filedrop.handles import Folder, LinkError, opened
from hub_connectors.filedrop.settings import Places


class Grounds:
    """A name is that of a mapping, of the folder in the drop, and of the folders for its state and results."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._locks: list[int] = []

    def open(self) -> None:
        """Makes what is missing. StartError when another process has these places, or the drop is reached by a link."""
        for path, mode in ((self.places.drop, 0o755), (self.places.mappings, 0o700), (self.places.state, 0o700),
                           (self.places.results, results.FOLDER_MODE)):  # fmt: skip
            try:
                if not os.path.lexists(path):
                    path.mkdir(parents=True, exist_ok=True)
                    path.chmod(mode)
            except OSError as error:
                raise StartError(f"{path} cannot be made: {error.strerror}") from None
        try:
            with opened(self.places.drop):
                pass
        except LinkError as error:
            raise StartError(f"{error.strerror}; set filedrop_dir to {self.places.drop.resolve()}") from None
        # Not in the drop: an agency could hold the lock there.
        for path in (self.places.state, self.places.mappings):
            self._locks.append(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            try:
                fcntl.flock(self._locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.close()
                raise StartError(
                    f"another process watches {self.places.drop} (it holds {path}); stop it, or set another "
                    "filedrop_dir"
                ) from None

    def close(self) -> None:
        while self._locks:
            os.close(self._locks.pop())

    def names(self) -> list[str]:
        """Every folder that has a mapping."""
        return sorted(path.stem for path in self.places.mappings.glob("*.toml") if not path.name.startswith("."))

    def mapping(self, name: str) -> Path:
        return self.places.mappings / f"{name}.toml"

    @contextmanager
    def inbox(self, name: str) -> Iterator[Folder]:
        """The agency's folder. FileNotFoundError; LinkError."""
        with opened(self.places.drop) as root, root.inner(name) as found:
            yield found

    @contextmanager
    def state(self, name: str) -> Iterator[Folder]:
        with opened(self.places.state.resolve()) as root, root.inner(name, 0o700) as found:
            yield found

    @contextmanager
    def results(self, name: str) -> Iterator[Folder]:
        with opened(self.places.results.resolve()) as root, root.inner(name, results.FOLDER_MODE) as found:
            yield found
