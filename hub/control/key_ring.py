"""The hub's own keys, in a file outside Kafka: what stands sealed in `hub.control` opens with them only.

One key a line, `<id> <base64 of 32 bytes>`; the first is used to seal, all of them open. The file is read at each use,
so a rotation needs no restart. Custody, rotation, loss: docs/secrets.md.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from hub.errors import ConfigError
from hub.machine.durable_files import fsync_folder, write_durably

FIELD = "secrets.key_file"
KEY_BYTES = 32
_ID_BYTES = 4


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    id: str
    raw: bytes


def new_key() -> Key:
    return Key(secrets.token_hex(_ID_BYTES), secrets.token_bytes(KEY_BYTES))


def read(path: Path) -> tuple[Key, ...]:
    """All keys, the present one first; none if there is no file. ConfigError: it cannot be read, is damaged, or others
    than its owner may read it."""
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            lines = file.read().split("\n")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(FIELD, f"cannot read {path}: {error}") from None
    if mode & 0o077:
        raise ConfigError(FIELD, f"{path} has mode {mode:04o}: others may read it; `chmod 600` it and rotate the key")
    return tuple(_parsed(path, number, line) for number, line in enumerate(lines, start=1) if line.strip())


def create(path: Path) -> None:
    """A file with one new key, mode 0600; one that is there stays as it is, also when two make it at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{secrets.token_hex(_ID_BYTES)}")
    _write(part, (new_key(),))
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
    fsync_folder(path.parent)


def add(path: Path) -> Key:
    """A new present key in front of those that are there."""
    key = new_key()
    _write(path, (key, *read(path)))
    return key


def drop_old(path: Path) -> tuple[str, ...]:
    """Keeps the present key only; ids of those that went."""
    present, *old = read(path)
    _write(path, (present,))
    return tuple(key.id for key in old)


def _write(path: Path, keys: tuple[Key, ...]) -> None:
    text = "".join(f"{key.id} {base64.b64encode(key.raw).decode()}\n" for key in keys)
    write_durably(path, text.encode(), mode=0o600)


def _parsed(path: Path, number: int, line: str) -> Key:
    try:
        id, text = line.split()
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        id, raw = "", b""
    if len(raw) != KEY_BYTES:
        raise ConfigError(FIELD, f"{path}, line {number}: is no key (an id and {KEY_BYTES} bytes as base64)")
    return Key(id, raw)
