"""Errors over HTTP as RFC 9457 problem details, with a stable word in `code` for programs.

| code                   | status | meaning                                                                           |
|------------------------|--------|-----------------------------------------------------------------------------------|
| malformed              | 400    | the body is not what its content type says                                        |
| rejected               | 400    | the event, or every event of the batch, cannot be used: see `results`             |
| unauthenticated        | 401    | no API key, or none that is known                                                 |
| forbidden              | 403    | the key is known but may not do this: see `results`                               |
| foreign_origin         | 403    | a web page of another origin calls                                                |
| not_found              | 404    | no such address or name                                                           |
| method_not_allowed     | 405    | the address does not know this method                                             |
| conflict               | 409    | the name is taken                                                                 |
| too_large              | 413    | body, batch or event is above its limit                                           |
| unsupported_media_type | 415    | another content type is needed                                                    |
| wrong_host             | 421    | the request names a host that is none of the hub's names                          |
| invalid                | 422    | a field of an administrative request is wrong                                     |
| too_many_failures      | 429    | wrong credentials, too often: come again after `Retry-After` seconds              |
| overloaded             | 429    | come again after `Retry-After` seconds; nothing was taken                         |
| internal               | 500    | a fault of the hub; whether the events were taken is unknown                      |
| unavailable            | 503    | the broker did not acknowledge: send the same events again, with the same ids     |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from hub.untyped import JsonObject

MEDIA_TYPE = "application/problem+json"

STATUS = {
    "malformed": 400,
    "rejected": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "foreign_origin": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "wrong_host": 421,
    "invalid": 422,
    "too_many_failures": 429,
    "overloaded": 429,
    "internal": 500,
    "unavailable": 503,
}


class Problem(Exception):
    """Ends a request with this answer. `results`, `more`: further members of the problem document."""

    def __init__(
        self,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        results: Sequence[Mapping[str, Any]] = (),
        **more: Any,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.headers = code, detail, dict(headers or {})
        self.results, self.more = results, more

    @property
    def status(self) -> int:
        return STATUS[self.code]

    def response(self) -> Response:
        document: JsonObject = {
            "type": f"urn:hub:problem:{self.code}",
            "title": self.code.replace("_", " "),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.more,
        }
        if self.results:
            document["results"] = self.results
        return Response(orjson.dumps(document), self.status, self.headers, MEDIA_TYPE)
