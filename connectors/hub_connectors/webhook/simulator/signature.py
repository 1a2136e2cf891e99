"""Checks a webhook's signature after the Standard Webhooks specification, without the library that the sender uses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key's bytes; ValueError if the secret is no base64 after `whsec_`."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"is no base64 after {PREFIX}: {error}") from None
    if not key:
        raise ValueError("is empty")
    return key


def fault(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], tolerance_s: float) -> str:
    """Why the message is not trusted, "" if one signature of one key fits. tolerance_s 0: any age."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not stamp.isascii() or not stamp.isdigit():
        return "webhook-id or webhook-timestamp is missing or wrong"
    if tolerance_s and abs(time.time() - int(stamp)) > tolerance_s:
        return "webhook-timestamp is too far from now"
    content = b".".join((message_id.encode(), stamp.encode(), body))
    given = [part[3:] for part in headers.get("webhook-signature", "").split(" ") if part.startswith("v1,")]
    for key in keys:
        right = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(right.encode(), one.encode()) for one in given):
            return ""
    return "no signature fits"
