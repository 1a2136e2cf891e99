"""The arrows between the rooms, by the contracts in pyproject.toml; the size of files; who makes Kafka clients."""

from __future__ import annotations

import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]


def test_the_arrows_are_those_that_pyproject_draws() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_room_has_a_circle_inside() -> None:
    """No module leads back to itself. An import in a function, or for the types alone, is an arrow as any other."""
    graph = grimp.build_graph("hub", "hub_connectors", cache_dir=None)
    assert len(graph.modules) > 400
    circles = TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules})
    try:
        circles.prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_no_file_is_over_three_hundred_lines() -> None:
    """Of the product and its connectors; a test's file may be longer."""
    counts = {
        str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n")
        for folder in ("hub", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts
    }
    assert len(counts) > 200
    made = {file for file in counts if file.startswith("hub/avro/body/")}  # by `make records`, a file a family
    assert made
    assert {file: lines for file, lines in counts.items() if lines > (500 if file in made else 300)} == {}


def test_kafka_clients_are_those_that_close_everything() -> None:
    """aiokafka's own leave connections open (hub.kafka.closing_clients)."""
    made = re.compile(r"^(?!class ).*\bAIOKafka(?:Client|Consumer|Producer|AdminClient)\(", re.M)
    for folder in ("hub", "connectors"):
        for path in (ROOT / folder).rglob("*.py"):
            if "tests" not in path.parts:
                assert not made.search(path.read_text("utf-8")), path


def test_what_has_no_record_has_a_name() -> None:
    """A datum is a record; what is none (others' JSON, settings as given) is named in `hub.untyped`."""
    bare = "dict[" + "str, Any]"
    found = {
        str(path.relative_to(ROOT))
        for folder in ("hub", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        if bare in path.read_text("utf-8")
    }
    # The checker imports nothing of the hub, so it has the name by itself.
    assert found == {"hub/untyped.py", "hub/demo/checker/result.py"}
