"""What every HTTP call to a schema registry has in common: address, credentials, and how an answer is read."""

from __future__ import annotations

from typing import Any

import httpx

from hub.config import Settings
from hub.errors import RegistryError
from hub.registry.logins import MadeLogin
from hub.untyped import Arguments
from hub.web.own_calls import trust

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
TIMEOUT_S = 5.0


def http_args(settings: Settings) -> Arguments:
    """Arguments of every httpx client that speaks to the registry."""
    registry = settings.registry
    args: Arguments = {
        "base_url": settings.registry_url,
        "timeout": TIMEOUT_S,
        "headers": {"Accept": CONTENT_TYPE, "Content-Type": CONTENT_TYPE},
    }
    if registry.url is None:
        args["verify"] = trust(settings.doors)
    if registry.username and registry.password:
        args["auth"] = (registry.username, registry.password.get_secret_value())
    elif registry.url is None:
        args["auth"] = MadeLogin(settings)
    return args


def answer(response: httpx.Response) -> Any:
    """The JSON of a good answer; RegistryError with Confluent's error_code otherwise (0: no registry answered)."""
    try:
        body = response.json()
    except ValueError:
        raise RegistryError(f"{response.request.url} answered {response.status_code} without JSON") from None
    if response.is_success:
        return body
    error = body if isinstance(body, dict) else {}
    code = int(error.get("error_code") or response.status_code)
    away = 0 if response.status_code in (502, 503, 504) else code
    raise RegistryError(f"registry: {error.get('message', response.text[:200])} (error_code {code})", away)
