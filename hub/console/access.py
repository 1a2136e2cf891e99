"""Who sees what on the console.

On a loopback address pages are open and personal data is masked. On any other address the operators' token is asked
for. With the token (Bearer, or as the password of HTTP Basic) personal data is shown.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress

from fastapi import HTTPException, Request

from hub.config import Settings
from hub.web.brake import opened


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def presented(header: str) -> str:
    """The secret of an Authorization header, "" if there is none or it cannot be read."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


class Guard:
    """A FastAPI dependency: returns whether the caller may see personal data, or raises 401."""

    def __init__(self, settings: Settings) -> None:
        self._brake = opened("console")
        self._open = is_loopback(settings.console.host)
        token = settings.gateway.admin_token
        self._token = token.get_secret_value() if token else ""

    def __call__(self, request: Request) -> bool:
        given = presented(request.headers.get("authorization", ""))
        address = request.client.host if request.client else ""
        if given and (wait := self._brake.wait_s(address)):
            raise HTTPException(429, "wrong credentials, too often; come again", {"Retry-After": str(wait)})
        if self._token and given and hmac.compare_digest(given.encode(), self._token.encode()):
            return True
        if given:
            self._brake.failed(address)
        if given or not self._open:
            raise HTTPException(
                401, "operator token needed", {"WWW-Authenticate": 'Basic realm="hub", charset="UTF-8"'}
            )
        return False
