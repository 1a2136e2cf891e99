"""What is fixed for every part: the moment, the schema ids, the words for a difference."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import random
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from hub.avro.codec import Codec
from hub.errors import DecodeError

NOW = 1_772_414_130.25
"""2026-03-02T01:15:30.250Z, epoch seconds."""

IDS = {
    "vn.hub.DossierStep": 1,
    "vn.hub.Dossier": 2,
    "vn.hub.DossierEvent": 3,
    "vn.hub.ProcedureChange": 4,
    "vn.hub.Procedure": 5,
    "vn.hub.ProcedureEvent": 6,
    "vn.hub.ServiceChange": 7,
    "vn.hub.OnlineService": 8,
    "vn.hub.ServiceEvent": 9,
    "vn.hub.Delivery": 10,
    "vn.hub.DossierDeadline": 11,
    "vn.hub.DossierDeadlineEvent": 12,
}


def codec() -> Codec:
    """The project's schemas under fixed ids; no other id is known."""

    def unknown(schema_id: int) -> Any:
        raise DecodeError("schema_id", f"schema id {schema_id} is unknown")

    return Codec(IDS, unknown)


@contextlib.contextmanager
def moment(at: float = NOW) -> Iterator[None]:
    """`time.time()` stands still, chance is seeded, and the log says nothing."""
    before, disabled = random.getstate(), logging.root.manager.disable
    random.seed(7)
    logging.disable(logging.CRITICAL)
    try:
        with mock.patch("time.time", return_value=at):
            yield
    finally:
        logging.disable(disabled)
        random.setstate(before)


@contextlib.contextmanager
def environment(variables: Mapping[str, str] | None = None) -> Iterator[Path]:
    """No settings of the hub but these, and an empty folder to stand in, so without hub.toml."""
    other = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            with mock.patch.dict(os.environ, {**other, **(variables or {})}, clear=True):
                yield Path(folder)
        finally:
            os.chdir(before)


def sha(value: bytes | str) -> str:
    """SHA-256, its first 32 digits: enough to see a difference."""
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()[:32]


def texts(headers: Any) -> dict[str, str]:
    """Headers of a Kafka record by name."""
    return {name: raw.decode("utf-8", "backslashreplace") for name, raw in headers}


def paths(value: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted path -> leaf, as `dossier.fees.0.code`."""
    if isinstance(value, Mapping) and value:
        return {k: v for name, inner in value.items() for k, v in paths(inner, f"{prefix}{name}.").items()}
    if isinstance(value, list) and value:
        return {k: v for n, inner in enumerate(value) for k, v in paths(inner, f"{prefix}{n}.").items()}
    return {prefix[:-1]: value}


def changed(before: Any, after: Any) -> dict[str, Any]:
    """Dotted paths of `after` whose value differs from `before`; "(gone)" for those that it has not."""
    old, new = paths(before), paths(after)
    found = {name: new.get(name, "(gone)") for name in (*old, *new) if old.get(name, ...) != new.get(name, ...)}
    return dict(sorted(found.items()))
