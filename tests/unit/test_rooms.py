"""The arrows between the rooms: who may import whom."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPORT = re.compile(r"^\s*(?:from|import) ([\w.]+)", re.M)


def imports(folder: str) -> dict[str, set[str]]:
    """file -> modules that it imports."""
    return {
        str(path.relative_to(ROOT)): set(IMPORT.findall(path.read_text("utf-8")))
        for path in (ROOT / folder).rglob("*.py")
    }


def users(folder: str, module: str) -> set[str]:
    return {
        file for file, names in imports(folder).items() if any(n == module or n.startswith(module + ".") for n in names)
    }


def test_only_the_engine_knows_faust() -> None:
    assert {file for file in users("hub", "faust") if not file.startswith("hub/stream/")} == set()
    assert users("connectors", "faust") == set()


def test_hub_names_no_connector() -> None:
    assert users("hub", "connectors") == set()


def test_the_model_knows_nothing_but_itself_and_errors() -> None:
    allowed = ("hub.model", "hub.errors", "schemas")
    for file, names in imports("hub/model").items():
        own = {n for n in names if n.split(".")[0] in ("hub", "connectors")}
        assert {n for n in own if not n.startswith(allowed)} == set(), file


def test_nobody_imports_back_up_the_way_of_an_event() -> None:
    """wire, model and access are under all; the console, the command line and the runtime are above all."""
    for low in ("wire", "model", "access"):
        for high in ("stream", "intake", "pipeline", "reconcile", "readmodel", "console", "runtime", "cli", "embedded"):
            assert users(f"hub/{low}", f"hub.{high}") == set(), (low, high)
    for stage in ("intake", "pipeline", "delivery", "reconcile", "readmodel"):
        for high in ("console", "runtime", "cli"):
            assert users(f"hub/{stage}", f"hub.{high}") == set(), (stage, high)


def test_the_checkers_import_nothing_from_the_hub() -> None:
    checkers = imports("hub/demo/checker")
    assert len(checkers) > 1
    for file, names in checkers.items():
        own = {n for n in names if n.startswith(("hub", "connectors"))}
        assert {n for n in own if not n.startswith("hub.demo.checker")} == set(), file


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
