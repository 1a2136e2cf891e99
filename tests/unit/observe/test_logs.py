"""What a process logs: JSON lines, and client libraries that are kept from flooding it."""

from __future__ import annotations

import json
import logging

from hub.observe.logs import JsonFormatter, Sparing


def record(
    name: str, at: float, message: str = "Unable connect to node with id %s", *args: object
) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, message, args or (1,), None)
    made.created = at
    return made


def test_one_of_a_kind_in_ten_seconds_with_the_number_left_out():
    sparing = Sparing("aiokafka")
    passed = [r for at in range(25) if sparing.filter(r := record("aiokafka", 1000.0 + at))]
    assert [r.getMessage() for r in passed] == [
        "Unable connect to node with id 1",
        "Unable connect to node with id 1 (and 9 more like it)",
        "Unable connect to node with id 1 (and 9 more like it)",
    ]


def test_other_kinds_and_our_own_words_pass():
    sparing = Sparing("aiokafka")
    assert sparing.filter(record("aiokafka", 1.0))
    assert sparing.filter(record("aiokafka.consumer.fetcher", 1.0))
    assert sparing.filter(record("aiokafka", 1.0, "Unable to update metadata from %s"))
    assert all(sparing.filter(record("hub.supervisor.supervisor", 1.0)) for _ in range(5))


def test_json_lines():
    line = json.loads(JsonFormatter("core").format(record("hub.x", 1_700_000_000.5, "ends with %s: %s", 3, "đĩa đầy")))
    assert line == {
        "time": "2023-11-14T22:13:20.500+00:00",
        "level": "ERROR",
        "role": "core",
        "logger": "hub.x",
        "message": "ends with 3: đĩa đầy",
    }
