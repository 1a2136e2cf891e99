"""Every reason and every stage of a dead letter has a recorded one."""

from __future__ import annotations

from typing import Any

import pytest

from hub.deadletter.reasons import REASONS, STAGES
from tests.frozen import book


def _headers() -> list[dict[str, str]]:
    letters = (out for name, file in book.recorded().items() if name.startswith("letters/") for out in _outs(file))
    return [
        dict(line.split(": ", 1) for line in out["headers"]) for out in letters if out["topic"] == "hub.dead-letters"
    ]


def _outs(file: dict[str, Any]) -> list[dict[str, Any]]:
    return [out for case in file.values() for out in ([*case["first"], *case["then"]] if "first" in case else [case])]


@pytest.mark.parametrize(("header", "words"), [("dl_reason", REASONS), ("dl_stage", STAGES)])
def test_every_word_has_a_letter(header: str, words: dict[str, str]) -> None:
    assert {letter[header] for letter in _headers()} == set(words)


def test_a_case_is_named_after_its_reason() -> None:
    for stage in ("core", "intake", "reconcile", "gateway", "source"):
        for name, letter in book.recorded()[f"letters/{stage}"].items():
            reason = next(line for line in letter["headers"] if line.startswith("dl_reason: "))
            # a number that is no kind: the core's own reader says avro, fastavro behind intake's door truncated
            word = name.partition(",")[0]
            assert word == "kind of step unknown" or reason == f"dl_reason: {word}", (stage, name)


def test_no_name_of_a_person_stands_in_a_letter_s_own_headers() -> None:
    assert [letter for letter in _headers() if "Văn An" in letter["dl_detail"] or "Lê C" in letter["dl_detail"]] == []
