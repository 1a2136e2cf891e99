"""Whatever a portal answers, only verdicts come out: never another exception (hypothesis)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.connect.portal import Answer
from hub.errors import Rejected, Retryable
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.national_portal.reply import read_reply
from hub_connectors.national_portal.settings import NationalPortalSettings
from tests.support.contract_events import dossier_items

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_code = st.sampled_from([0, "0", "00", 0.0, 3, "-3", -2, "-1", "77", 1e400, True, None]) | _json
_message = (
    st.sampled_from(["Thành công", "đã tồn tại", "Phiên làm việc", '{"error_code": 0}', '{"result": []}']) | _json
)
_answer = st.fixed_dictionaries(
    {}, optional={"error_code": _code, "message": _message, "result": _json, "session": _json | st.just("s")}
)
bodies = st.binary(max_size=60) | st.builds(lambda v: json.dumps(v).encode(), _json | _answer)
statuses = st.sampled_from(
    [200] * 12 + [201, 204, 301, 400, 401, 403, 404, 408, 410, 413, 418, 422, 429, 500, 502, 599]
)
headers = st.sampled_from(
    [{}, {"retry-after": "x"}, {b"retry-after": b"\xb2"}, {"retry-after": "-5"}, {"location": "::"}]
)


@given(body=bodies, wrapped=st.booleans())
@example(body=b"[" * 100_000, wrapped=False)
@example(body=b'{"error_code": ' + b"9" * 5000 + b"}", wrapped=False)
@example(body=b'\xef\xbb\xbf{"error_code": 0}', wrapped=True)
@example(body=b'{"message": "' + b"[" * 50_000 + b'"}', wrapped=True)
def test_any_bytes_are_a_reply_or_retryable(body: bytes, wrapped: bool) -> None:
    kind, reply = "", None
    try:
        reply = read_reply(body, wrapped)
    except Retryable as verdict:
        kind = verdict.kind
    assert kind in {"empty", "html", "not_json", "shape"} or reply is not None
    if reply is not None:
        assert isinstance(reply.code, str)
        assert isinstance(reply.message, str)
        assert reply.said


@settings(max_examples=150, deadline=None)
@given(answers=st.lists(st.tuples(statuses, headers, bodies), min_size=1, max_size=8), wrapper=st.booleans())
def test_any_exchange_ends_in_an_answer_or_a_verdict(
    answers: list[tuple[int, dict[Any, Any], bytes]], wrapper: bool
) -> None:
    calls = 0

    def reply(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        status, head, body = answers[calls % len(answers)]
        calls += 1
        return httpx.Response(status, headers=head, content=body)

    async def deliver() -> Any:
        mode = "wrapper" if wrapper else "adapter"
        chosen = NationalPortalSettings(adapter_url="http://portal.test", madonvi="H11", username="u", mode=mode)
        portal = NationalPortal(chosen, "p", httpx.MockTransport(reply))
        await portal.open()
        try:
            return await portal.deliver(dossier_items("H11.12-260302-0001", 2))
        except (Retryable, Rejected) as verdict:
            return verdict
        finally:
            await portal.close()

    outcome = asyncio.run(deliver())
    assert isinstance(outcome, Answer | Retryable | Rejected)
    assert calls <= 12, "one delivery must end"
