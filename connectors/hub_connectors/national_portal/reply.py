"""What the national portal answered (docs/field/portal.md): one reading for every form it comes in.

`error_code` may be a number or a string; through a wrapper `message` is itself a JSON string that holds the answer.
Anything that is no such answer (empty, an HTML page, other JSON) says nothing about the dossier: Retryable.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hub.errors import Retryable
from hub.untyped import JsonObject

_MESSAGE_KEPT = 300


@dataclass(frozen=True, slots=True)
class PortalReply:
    """code: decimal string, "0" = accepted, "" = none given. message: as written. result: rows, [] for none."""

    code: str
    message: str
    result: tuple[Any, ...] = ()
    session: str = ""

    def says(self, words: Iterable[str]) -> bool:
        """One of the words stands in the message, whatever its case and Unicode form."""
        message = _plain(self.message)
        return any(_plain(word) in message for word in words)

    @property
    def said(self) -> str:
        """For people: code and the beginning of the message."""
        return f"error_code {self.code or 'missing'}: {self.message[:_MESSAGE_KEPT]}"


def _plain(value: str) -> str:
    return unicodedata.normalize("NFC", value).casefold()


def read_reply(body: bytes, wrapped: bool = False) -> PortalReply:
    """Reads a body of HTTP 2xx. Retryable with kind empty, html, not_json or shape; never another error."""
    outer = _object(body)
    code = _code(outer.get("error_code"))
    message, result = outer.get("message"), outer.get("result")
    if wrapped:
        inner = _inner(message)
        if inner is not None:
            code = _code(inner.get("error_code")) or code or "0"
            message, result = inner.get("message"), inner.get("result", result)
        code = code or "0"
    if not code:
        raise Retryable("shape", "the answer is JSON without an error_code")
    session = outer.get("session")
    return PortalReply(
        code, message if isinstance(message, str) else "", _rows(result), session if isinstance(session, str) else ""
    )


def _object(body: bytes) -> JsonObject:
    stripped = body.strip()
    if not stripped:
        raise Retryable("empty", "the answer has no body")
    if stripped.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise Retryable(
            "html", "the answer is a page, not JSON: a gateway or maintenance page stands before the portal"
        )
    parsed = _json(body)
    if parsed is None:
        raise Retryable("not_json", "the answer is no JSON")
    if not isinstance(parsed, dict):
        raise Retryable("shape", "the answer is JSON but no object")
    return parsed


def _json(source: bytes | str) -> Any:
    """The value, or None for what is no JSON (and for JSON null, which is as useless)."""
    try:
        return json.loads(source)
    except (ValueError, RecursionError):
        return None


def _inner(message: Any) -> JsonObject | None:
    parsed = _json(message) if isinstance(message, str) else message
    return parsed if isinstance(parsed, dict) else None


def _code(value: Any) -> str:
    """0, 0.0, "0", " 00 " are all "0"; a word stays a word; "" for none."""
    if value is None or isinstance(value, bool | dict | list):
        return ""
    try:
        return str(int(value))
    except (ValueError, OverflowError):
        return str(value).strip()[:40]


def _rows(result: Any) -> tuple[Any, ...]:
    if isinstance(result, str):
        result = _json(result)
    if isinstance(result, list):
        return tuple(row for row in result if row)
    return (result,) if result else ()
