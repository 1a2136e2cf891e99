"""Operators over HTTP: one token (`gateway.admin_token`), which is who acted, since a header may say any name."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from pydantic import SecretStr

from hub.control.audit import Actor
from hub.control.keys import credential

TOKEN_NAME = "admin-token"
NAME_HEADER = "x-operator"
REASON_HEADER = "x-reason"


def operator(headers: Mapping[str, str], token: SecretStr | None, address: str = "") -> Actor | None:
    """The operator of a request with the token (`Authorization: Bearer …` or `X-Api-Key`); None without it.

    Headers `X-Operator` and `X-Reason` are notes: what the caller says of who and why.
    Without a token in the settings nobody is an operator.
    """
    if token is None:
        return None
    if not hmac.compare_digest(credential(headers).encode(), token.get_secret_value().encode()):
        return None
    said = headers.get(NAME_HEADER, "")
    return Actor(TOKEN_NAME, remote=True, where=address, why=headers.get(REASON_HEADER, ""), said=said)
