"""Operators over HTTP: one token (`gateway.admin_token`), and a name for the audit that the caller gives."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from hub.control.keys import credential

NAME_HEADER = "x-operator"
REASON_HEADER = "x-reason"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts and why, as it goes into the audit."""

    who: str
    why: str


def operator(headers: Mapping[str, str], token: SecretStr | None) -> Operator | None:
    """The operator of a request with the token (`Authorization: Bearer …` or `X-Api-Key`); None without it.

    Headers `X-Operator` and `X-Reason` say who and why. Without a token in the settings nobody is an operator.
    """
    if token is None:
        return None
    if not hmac.compare_digest(credential(headers).encode(), token.get_secret_value().encode()):
        return None
    return Operator(headers.get(NAME_HEADER, "")[:100] or "admin-token", headers.get(REASON_HEADER, "")[:500])
