"""Stores on disk (RocksDB), for state larger than memory, and for a restart that reads only the changelog's tail.

One database a partition. A chunk's changes are one write batch with the changelog's offset, so after any crash both are
there or neither is; no fsync, since a batch that is lost is read from the changelog again. All of it can be made anew
from there, so what is damaged, or too old to trust, is thrown away. It holds personal data, as the broker's disk does.
"""

from __future__ import annotations

import logging
import re
import shutil
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
)

from hub.stream.errors import StateError
from hub.stream.memory_store import Store
from hub.stream.packed import pack, unpack
from hub.stream.stage import Stored

_log = logging.getLogger(__name__)
T = TypeVar("T")

# The broker's cleaner forgets a deletion a day after it (hub.kafka.topics, delete.retention.ms). A store that was away
# for so long would keep the key for good; half of it leaves room for clocks and for reading the tail.
TRUSTED_S = 12 * 3600.0
_REFRESH_S = 600.0  # so often an idle store is told to be as good as new
_RECENT = 2_000  # values per store kept as objects: those of the chunk in work, and of busy dossiers
_CACHE_BYTES = 64 << 20  # blocks of all partitions
_BUFFER_BYTES = 8 << 20  # written and not yet sorted, per partition, at most twice
_OPEN_FILES = 48  # per partition
_FORMAT = 1
_MARK = struct.Struct(">BQQd")  # format, offset, number of keys, epoch seconds at which the changelog ended there
_EMPTY = _MARK.pack(_FORMAT, 0, 0, 0.0)
# What throwing the store away would not mend.
_SURROUNDINGS = re.compile(
    r"\block\b|No space left|Permission denied|Too many open|Read-only|Input/output error|Cannot allocate"
)


class DiskStores:
    """Makes the stores of a partition (`MakeStores`) in folder/partition; all share one cache."""

    def __init__(self, folder: Path, waits: Callable[[Stored], bool] = lambda stored: True) -> None:
        self._folder = folder
        self._waits = waits
        self._cache = Cache(_CACHE_BYTES)

    def __call__(self, partition: int, names: Sequence[str]) -> Mapping[str, Store]:
        database = Database(self._folder / str(partition), self._cache)
        return {name: DiskStore(name, database, self._waits) for name in names}


class Database:
    """One folder. A damaged one is thrown away where it is opened; damage found later is noted for the next opening."""

    def __init__(self, folder: Path, cache: Cache) -> None:
        self._folder = folder
        self._note = folder.with_name(folder.name + ".damaged")
        self._options = _options(cache)
        self._db: Rdict | None = None

    def open(self) -> None:
        if self._db is not None:
            return
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._note.exists():
            self._discard(self._note.read_text())
        try:
            self._db = Rdict(str(self._folder), self._options)
        except Exception as error:
            if not self._damaged(error):
                raise StateError(f"the state in {self._folder} cannot be opened: {error}") from error
            self._discard(str(error))
            self._db = Rdict(str(self._folder), self._options)

    def use(self) -> Rdict:
        if self._db is None:
            raise StateError(f"the state in {self._folder} is closed: its partition was taken away")
        return self._db

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def failed(self, error: Exception) -> StateError:
        """What to raise for an exception of the database."""
        if self._damaged(error):
            self._note.write_text(str(error))
        return StateError(f"the state in {self._folder} cannot be used: {error}")

    def _damaged(self, error: Exception) -> bool:
        return not _SURROUNDINGS.search(str(error).replace(str(self._folder), ""))

    def _discard(self, why: str) -> None:
        _log.error("the state in %s is damaged (%s): thrown away, rebuilt from its changelog", self._folder, why)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._note.unlink(missing_ok=True)


class DiskStore:
    """One store (`Store`) in its partition's database. Changes stand in memory until `save`."""

    def __init__(self, name: str, database: Database, waits: Callable[[Stored], bool]) -> None:
        self._name = name
        self._waits = waits
        self._database = database
        self._prefix = b"d" + name.encode() + b"\0"
        self._waiting = b"w" + name.encode() + b"\0"
        self._mark = b"m" + name.encode()
        self._changed: dict[bytes, Stored | None] = {}
        self._recent: dict[bytes, Stored] = {}
        self._end, self._count, self._at = 0, 0, 0.0

    def open(self) -> int:
        self._database.open()
        mark = self._do(lambda db: db.get(self._mark))
        if mark is not None and len(mark) == _MARK.size and mark[0] == _FORMAT:
            _, self._end, self._count, self._at = _MARK.unpack(mark)
        if self._end == 0 or not abs(time.time() - self._at) <= TRUSTED_S:
            if mark not in (None, _EMPTY):
                _log.warning("%s: the state on disk is unfinished or too old: rebuilt from its changelog", self._name)
            self.clear()
        return self._end

    def get(self, key: bytes, /) -> Stored | None:
        if key in self._changed:
            return self._changed[key]
        stored = self._recent.get(key)
        if stored is None:
            try:
                packed = self._database.use().get(self._prefix + key)
            except StateError:
                raise
            except Exception as error:
                raise self._database.failed(error) from error
            if packed is None:
                return None
            stored = unpack(packed)
            self._remember(key, stored)
        return stored

    def __setitem__(self, key: bytes, stored: Stored, /) -> None:
        if self.get(key) is None:
            self._count += 1
        self._changed[key] = stored
        self._recent.pop(key, None)
        self._remember(key, stored)

    def pop(self, key: bytes, default: None, /) -> Stored | None:
        old = self.get(key)
        if old is not None:
            self._count -= 1
            self._changed[key] = None
            self._recent.pop(key, None)
        return old

    def keys(self) -> Iterator[bytes]:
        return self._listed(self._prefix)

    def waiting(self) -> Iterator[bytes]:
        return self._listed(self._waiting)

    def _listed(self, prefix: bytes) -> Iterator[bytes]:
        if self._changed:
            self.save(None)
        found = self._do(lambda db: db.iter())
        found.seek(prefix)
        while found.valid():
            key: bytes = found.key()
            if not key.startswith(prefix):
                return
            yield key[len(prefix) :]
            found.next()
        self._do(lambda db: found.status())

    def __len__(self) -> int:
        return self._count

    def save(self, end: int | None) -> None:
        if not self._changed and end in (None, self._end):
            return
        batch = WriteBatch(raw_mode=True)
        for key, stored in self._changed.items():
            if stored is None:
                batch.delete(self._prefix + key)
            else:
                batch.put(self._prefix + key, pack(stored))
            if stored is not None and self._waits(stored):
                batch.put(self._waiting + key, b"")
            else:
                batch.delete(self._waiting + key)
        if end is not None:
            self._end, self._at = end, time.time()
        self._write(batch)
        self._changed.clear()

    def still(self, end: int) -> None:
        if end == self._end and not self._changed and time.time() - self._at > _REFRESH_S:
            self._at = time.time()
            self._write(WriteBatch(raw_mode=True))

    def clear(self) -> None:
        self._changed.clear()
        self._recent.clear()
        self._end, self._count, self._at = 0, 0, 0.0
        batch = WriteBatch(raw_mode=True)
        for prefix in (self._prefix, self._waiting):
            batch.delete_range(prefix, prefix[:-1] + b"\1")
        self._write(batch)

    def close(self) -> None:
        """What was not saved is forgotten: it is in the changelog."""
        self._changed.clear()
        self._recent.clear()
        self._database.close()

    def _write(self, batch: WriteBatch) -> None:
        batch.put(self._mark, _MARK.pack(_FORMAT, self._end, self._count, self._at))
        self._do(lambda db: db.write(batch))

    def _remember(self, key: bytes, stored: Stored) -> None:
        self._recent[key] = stored
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]

    def _do(self, work: Callable[[Rdict], T]) -> T:
        db = self._database.use()
        try:
            return work(db)
        except Exception as error:
            raise self._database.failed(error) from error


def _options(cache: Cache) -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_bloom_filter(10, False)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(_BUFFER_BYTES)
    options.set_max_open_files(_OPEN_FILES)
    options.set_keep_log_file_num(2)
    return options
