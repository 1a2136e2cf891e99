"""A million values, most of them damaged: plain, compiled and commit 992bdaf's reader say the same to every one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.avro.bodies import BODIES
from hub.avro.generic import decode_body, encode_body, parsed
from hub.errors import DecodeError
from tests.support import avro_bounds
from tests.support.avro_damaged import RECORDS, THOUSANDS, of_the_hub, schemas_hash, thousand, verdict, verdicts
from tests.support.wheel import Elsewhere, elsewhere

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "avro_verdicts.json").read_text("ascii"))


def test_the_verdicts_are_of_these_schemas() -> None:
    """Red: a schema has changed. Record anew (tests.support.avro_damaged) with the reader before the change."""
    assert RECORDED["schemas"] == schemas_hash()
    assert sum(RECORDED["counts"].values()) == 1_000 * len(RECORDED["hashes"]) == 1_000_000
    assert set(RECORDED["counts"]) == {"read", "truncated", "utf8", "avro"}
    assert min(RECORDED["counts"].values()) > 100_000


def test_24_thousand_values_as_992bdaf_s_reader() -> None:
    assert verdicts(of_the_hub, range(24))[0] == RECORDED["hashes"][:24]


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_what_is_read_from_damaged_bytes_is_what_fastavro_reads(number: int) -> None:
    """Not the other way round: fastavro takes more. As bytes, since NaN equals nothing."""
    name, bodies = thousand(number)
    read = 0
    for raw in bodies:
        try:
            record = BODIES[name].read(raw, 0)
        except DecodeError:
            continue
        read += 1
        assert BODIES[name].write(record) == encode_body(name, decode_body(raw, parsed(name)))
    assert read > 100


def run(installed: Elsewhere, *arguments: str) -> Any:
    """What a module of the tests says where the functions are compiled."""
    done = installed.run("-m", *arguments, seconds=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return elsewhere(tmp_path_factory)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_compiled_and_plain_say_the_same_to_a_million_values(compiled: Elsewhere) -> None:
    found = run(compiled, "tests.support.avro_damaged", "verdicts")
    plain = verdicts(of_the_hub, range(THOUSANDS))
    assert found["file"].startswith(str(compiled.python.parents[1]))
    assert found["file"].endswith(".so")
    assert found["hashes"] == plain[0] == RECORDED["hashes"]
    assert found["counts"] == plain[1] == RECORDED["counts"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_compiled_and_plain_write_the_same_at_every_bound(compiled: Elsewhere) -> None:
    found = run(compiled, "tests.support.avro_bounds")
    assert found["file"].startswith(str(compiled.python.parents[1]))
    assert found["file"].endswith(".so")
    assert found["outcomes"] == [wanted for _, _, wanted in avro_bounds.CASES]
    assert found["records"] == avro_bounds.of_records()


def test_a_verdict_is_the_bytes_written_again_or_the_reason() -> None:
    assert verdict(lambda value, at: value[at:], b"x") == b"=x"

    def refuse(value: bytes, at: int) -> bytes:
        raise DecodeError("utf8", "")

    assert verdict(refuse, b"x") == b"utf8"
    with pytest.raises(ZeroDivisionError):
        verdict(lambda value, at: b"%d" % (1 // 0), b"x")
