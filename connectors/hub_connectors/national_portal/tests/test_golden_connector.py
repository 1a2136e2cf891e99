"""The connector against the golden messages: it must send exactly these requests and read these replies."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import Rejected, Retryable
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.tests.golden_script import ADDRESS, Script, given_session, golden
from hub_connectors.national_portal.tests.site import CODES
from hub_connectors.national_portal.wire import WORDS


async def _run(name: str) -> tuple[Script, Any]:
    """(the script, what came of it): the answer, or the verdict that was raised."""
    told = golden.load(name)
    base = ADDRESS if told["settings"].get("mode") != "wrapper" else "http://portal.test"
    settings = NationalPortalSettings(adapter_url=base, username="binhthuan", **told["settings"])
    script = Script(told["exchange"])
    secret = "" if settings.mode == "wrapper" else "golden-password"
    portal = NationalPortal(settings, secret, script)
    await portal.open()
    try:
        client = portal._opened()
        if told.get("do") == "open_session":
            return script, await client._session.token(client.login)
        await given_session(client)
        if told.get("do") == "probe":
            await portal.probe()
            return script, None
        return script, await portal.deliver(golden.items(told))
    except (Retryable, Rejected) as verdict:
        return script, verdict
    finally:
        await portal.close()


@pytest.mark.parametrize("name", golden.names("connector"))
async def test_speaks_as_the_golden_messages(name: str) -> None:
    told = golden.load(name)
    script, outcome = await _run(name)
    assert script.left == [], f"calls not made; outcome {outcome!r}"
    verdict = told["verdict"]
    if verdict == "delivered":
        assert not isinstance(outcome, Exception), repr(outcome)
        for key, value in told.get("detail", {}).items():
            assert outcome.detail[key] == value
    elif "retryable" in verdict:
        assert isinstance(outcome, Retryable)
        assert (outcome.kind, outcome.retry_after) == (verdict["retryable"], verdict.get("retry_after"))
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.reason == verdict["rejected"]


def test_status_codes_are_those_of_the_notes() -> None:
    assert WORDS["status"] == CODES
