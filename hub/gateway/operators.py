"""Operators over HTTP: one token (`gateway.admin_token`), and a name for the audit that the caller gives."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from pydantic import SecretStr

from hub.control.audit import Actor
from hub.control.keys import credential

NAME_HEADER = "x-operator"
REASON_HEADER = "x-reason"


def operator(headers: Mapping[str, str], token: SecretStr | None, address: str = "") -> Actor | None:
    """The operator of a request with the token (`Authorization: Bearer …` or `X-Api-Key`); None without it.

    Headers `X-Operator` and `X-Reason` say who and why. Without a token in the settings nobody is an operator.
    """
    if token is None:
        return None
    if not hmac.compare_digest(credential(headers).encode(), token.get_secret_value().encode()):
        return None
    return claimed(headers, address)


def claimed(headers: Mapping[str, str], address: str) -> Actor:
    """Who the caller says it is, from its address; the token's name, if it says nothing."""
    return Actor(headers.get(NAME_HEADER, "") or "admin-token", where=address, why=headers.get(REASON_HEADER, ""))
