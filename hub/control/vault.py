"""A subscriber's secrets: sealed as they stand in `hub.control`, open as a connector gets them.

A literal is sealed before it is written (AES-256-GCM), bound to its subscriber and its name, so that it opens nowhere
else: `sealed:1:<key id>:<base64 of nonce and text>`. `env:NAME` and `file:PATH` are references: they stand as they are,
and point only to what the operator set aside for it. A literal that an older version wrote in clear is still read.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.config import Settings
from hub.control import key_ring
from hub.control.key_ring import Key
from hub.control.secrets import base_name
from hub.errors import ConfigError

SEALED = "sealed:"
_PREFIX = f"{SEALED}1:"
_NONCE_BYTES = 12
_MOST_FILE_BYTES = 65_536


def is_reference(value: str) -> bool:
    return value.startswith(("env:", "file:"))


def is_sealed(value: str) -> bool:
    return value.startswith(SEALED)


def has_clear(given: Mapping[str, str]) -> bool:
    """Whether one of the values stands in clear."""
    return any(value and not is_sealed(value) and not is_reference(value) for value in given.values())


def key_of(value: str) -> str:
    """Id of the key that a sealed value needs."""
    return value.removeprefix(_PREFIX).partition(":")[0]


@dataclass(frozen=True, slots=True)
class References:
    """What references may point to. folder: `file:` only below it. prefix: `env:` only names that begin so."""

    folder: Path
    prefix: str

    def resolve(self, given: str, field: str) -> str:
        """The value of a literal or a reference. ConfigError naming `field`: empty, not there, or not allowed."""
        value = given
        if given.startswith("env:"):
            value = self._variable(given[4:], field)
        elif given.startswith("file:"):
            value = self._file(given[5:], field)
        if not value:
            where = f" ({given})" if is_reference(given) else ""
            raise ConfigError(field, f"is empty{where}; give it as literal, env:NAME or file:PATH")
        return value

    def _variable(self, name: str, field: str) -> str:
        if not name.startswith(self.prefix):
            raise ConfigError(field, f"env:{name}: only variables that begin with {self.prefix} may be named")
        return os.environ.get(name, "")

    def _file(self, name: str, field: str) -> str:
        """Links are followed first: what counts is where the file truly lies."""
        folder = Path(os.path.realpath(self.folder))
        path = Path(os.path.realpath(folder / name))
        if not path.is_relative_to(folder):
            raise ConfigError(field, f"file:{name}: only files below {self.folder} may be named (secrets.folder)")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise ConfigError(field, f"cannot read {name}: {error.strerror}") from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(field, f"cannot read {name}: it is no file")
            raw = os.read(descriptor, _MOST_FILE_BYTES + 1)
        finally:
            os.close(descriptor)
        if len(raw) > _MOST_FILE_BYTES:
            raise ConfigError(field, f"{name} is no secret: it has over {_MOST_FILE_BYTES} bytes")
        try:
            return raw.decode().strip()
        except UnicodeDecodeError:
            raise ConfigError(field, f"cannot read {name}: it is not UTF-8") from None


LOCAL = References(Path("/"), "")
"""For a command at an operator's own terminal, who may read what the command may."""


class Vault:
    """Seals and opens. key_file: see `hub.control.key_ring`."""

    def __init__(self, key_file: Path, references: References) -> None:
        self.key_file = key_file
        self.references = references

    def keys(self) -> tuple[Key, ...]:
        return key_ring.read(self.key_file)

    def open(self, subscriber: str, name: str, value: str) -> str:
        """What a connector uses. ConfigError naming `secrets.<name>`."""
        field = f"secrets.{name}"
        if not is_sealed(value):
            return self.references.resolve(value, field)
        wanted = key_of(value)
        key = next((key for key in self.keys() if key.id == wanted), None)
        if key is None:
            raise ConfigError(
                field, f"is sealed with key {wanted}, which {self.key_file} does not have; bring the "
                f"file back, or give a new secret: hub subscribers rotate-secret {subscriber} (docs/secrets.md)"
            )  # fmt: skip
        try:
            raw = base64.b64decode(value.removeprefix(_PREFIX).partition(":")[2], validate=True)
            nonce, text = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            return AESGCM(key.raw).decrypt(nonce, text, _bound_to(subscriber, name)).decode()
        except (ValueError, InvalidTag):
            raise ConfigError(
                field, f"is damaged, or was sealed for another subscriber; give a new one: "
                f"hub subscribers rotate-secret {subscriber}"
            ) from None  # fmt: skip

    def sealed(self, subscriber: str, given: Mapping[str, str]) -> dict[str, str]:
        """The secrets as they may stand in `hub.control`; what is sealed or a reference stays as it is.

        ConfigError: there is no key.
        """
        return {name: self._sealed(subscriber, name, value) for name, value in given.items()}

    def sealed_anew(self, subscriber: str, given: Mapping[str, str]) -> dict[str, str]:
        """All literals sealed with the present key. ConfigError: one cannot be opened."""
        present = self._present().id
        out = {}
        for name, value in given.items():
            old = is_sealed(value) and key_of(value) != present
            out[name] = self._sealed(subscriber, name, self.open(subscriber, name, value) if old else value)
        return out

    def _sealed(self, subscriber: str, name: str, value: str) -> str:
        if not has_clear({name: value}):
            return value
        key = self._present()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        text = AESGCM(key.raw).encrypt(nonce, value.encode(), _bound_to(subscriber, name))
        return f"{_PREFIX}{key.id}:{base64.b64encode(nonce + text).decode()}"

    def _present(self) -> Key:
        keys = self.keys()
        if not keys:
            raise ConfigError(key_ring.FIELD, f"there is no key in {self.key_file}; `hub secrets init` makes one")
        return keys[0]


def _bound_to(subscriber: str, name: str) -> bytes:
    """A secret that is rotated keeps what it is bound to: its name without its end."""
    return f"subscriber/{subscriber}/{base_name(name)}".encode()


def vault(settings: Settings) -> Vault:
    own = settings.secrets
    references = References(own.folder or settings.data_dir / "secrets", own.env_prefix)
    return Vault(own.key_file or settings.data_dir / "secrets.key", references)


LITERAL_ONLY = Vault(Path("/nonexistent/secrets.key"), References(Path("/nonexistent"), "\0"))
"""Opens what stands in clear, nothing else: for a connector by itself."""
