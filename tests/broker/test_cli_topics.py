"""`hub topics` and `hub doctor` against a real broker, as a person calls them."""

from __future__ import annotations

import asyncio
import json

import pytest

from hub.cli.main import main
from hub.control.changes import write
from hub.control.records import Organisation, Subscriber
from hub.supervisor import environment

pytestmark = pytest.mark.broker


@pytest.fixture
def hub(hub_settings, monkeypatch, capsys):
    """`hub("topics", "list")` -> (exit code, parsed JSON output)."""
    for name, value in environment.variables(hub_settings).items():
        if name.startswith("HUB_"):
            monkeypatch.setenv(name, value)

    def call(*words: str):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--json"])
        return ended.value.code, json.loads(capsys.readouterr().out)

    return call


def test_ensure_makes_the_topics_of_known_agencies_and_subscribers_once(hub, hub_settings):
    assert hub("topics", "ensure")[0] == 0
    organisation = Organisation(name="land-office", kafka_topic=True)
    asyncio.run(write(hub_settings, organisation, Subscriber(name="tax-office", kind="webhook")))
    code, changes = hub("topics", "ensure")
    assert code == 0
    assert {c["topic"] for c in changes} == {"hub.ingress.land-office", "hub.out.tax-office", "hub.parking.tax-office"}
    assert hub("topics", "ensure") == (0, [])
    asyncio.run(write(hub_settings, (Organisation, "land-office"), (Subscriber, "tax-office")))


def test_doctor_says_what_is_right_and_what_is_not(hub):
    hub("topics", "ensure")
    code, findings = hub("doctor")
    said = {finding["what"]: finding for finding in findings}
    assert code == 1, "no registry runs here"
    assert (said["kafka"]["ok"], said["topics"]["ok"], said["disk"]["ok"]) == (True, True, True)
    assert said["registry"]["ok"] is False
    assert "does not answer" in said["registry"]["sentence"]
    assert said["roles"]["ok"] is None


def test_doctor_and_trace_when_kafka_is_away(hub, monkeypatch, capsys):
    monkeypatch.setenv("HUB_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    code, findings = hub("doctor")
    assert code == 1
    assert next(f for f in findings if f["what"] == "kafka")["ok"] is False
    with pytest.raises(SystemExit) as ended:
        main(["trace", "000.00.06.H56-231027-0361"])
    assert ended.value.code == 75
    assert "no answer from the broker" in capsys.readouterr().err
