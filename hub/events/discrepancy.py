"""A discrepancy that the reconciliation found: the value in `hub.discrepancies`, in JSON."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hub.errors import DecodeError


class Discrepancy(Struct, frozen=True, gc=False, kw_only=True):
    """Moments in epoch ms. healed_at: None while it is open. What a newer version says besides is ignored."""

    key: str
    subscriber: str
    kind: str
    opened_at: int
    healed_at: int | None = None
    detail: str


_DECODER = msgspec.json.Decoder(Discrepancy)
_ENCODER = msgspec.json.Encoder()


def dumps(told: Discrepancy) -> bytes:
    return _ENCODER.encode(told)


def loads(value: bytes) -> Discrepancy:
    """DecodeError (`avro`): it is none."""
    try:
        return _DECODER.decode(value)
    except msgspec.DecodeError:
        # msgspec's own words hold values.
        raise DecodeError("avro", "the value is no discrepancy") from None
