"""What the role tells the engine."""

from __future__ import annotations

from hub.config import CoreSettings, Settings
from hub.core.role import crash_letter, engine_config
from hub.deadletter.record import parse
from hub.kafka import topics
from tests.support.core import CODE, CODEC, Core, record, step


def test_the_engine_gets_sources_stores_and_settings():
    config = engine_config(CODEC, Settings(core=CoreSettings(instance="7", chunk_records=50)))
    assert (config.name, config.instance, config.chunk_records) == ("hub.core", "7", 50)
    assert config.sources == (topics.INGRESS,)
    assert config.stores == (topics.DOSSIERS, topics.PROCEDURES, topics.SERVICES)
    core = Core().steps(step("RECEIVED", 0), step("IN_PROCESS", 1))
    assert config.version(core.state[topics.DOSSIERS, CODE.encode()]) == 2


def test_a_record_that_crashes_the_step_is_named_by_place_not_by_message():
    made = record(step("RECEIVED", 0, note="Bí mật"), "e1", offset=5)
    try:
        raise ValueError("Bí mật")
    except ValueError as error:
        out = crash_letter(made, error)
    letter = parse(out.key, out.value, out.headers)
    assert (out.topic, letter.stage, letter.reason, letter.offset) == (topics.DEAD_LETTERS, "crash", "crash", 5)
    assert "ValueError in test_role.py line" in letter.detail
    assert "Bí mật" not in letter.detail
    assert letter.value == made.value
