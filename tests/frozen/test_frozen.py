"""The tree makes what commit 992bdaf made, but for the changes that CHANGES.md names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frozen import book
from tests.frozen.__main__ import main
from tests.frozen.differences import ABSENT, Difference, applied, differences


def _wanted() -> book.Files:
    try:
        return book.expected()
    except ValueError:  # told by `test_overlays_fit`
        return book.recorded()


WANTED = _wanted()


@pytest.mark.parametrize("name", sorted(WANTED))
def test_as_recorded(name: str) -> None:
    now = book.made(name.partition("/")[0]).get(name, ABSENT)
    assert [str(own) for own in differences(WANTED[name], now)] == []


@pytest.mark.parametrize("part", book.part_names())
def test_each_file_of_a_part_is_recorded_and_no_other(part: str) -> None:
    assert sorted(book.made(part)) == sorted(name for name in WANTED if name.startswith(f"{part}/"))


def test_every_recorded_file_belongs_to_a_part() -> None:
    assert {name.partition("/")[0] for name in WANTED} == set(book.part_names())


def test_nobody_edited_what_is_recorded() -> None:
    assert book.present_hashes() == book.hashes()


def test_overlays_fit() -> None:
    """Each `was` is what stood before it."""
    book.expected()


def test_every_overlay_has_its_line_and_every_line_its_overlay() -> None:
    lines = book.table_lines()
    assert sorted(lines) == book.change_ids()
    assert [id for id, cells in lines.items() if not all(cells)] == []
    assert [id for id in book.change_ids() if not book.entries(id)] == []


# --- the comparison itself ---------------------------------------------------------------------------------------

LIST = [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]


@pytest.mark.parametrize(
    ("was", "now", "shown"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["/a/b: was 1 now 2"]),
        ({"a": 1}, {"a": 1.0}, ["/a: was 1 now 1.0"]),
        ({"a": 1}, {"a": True}, ["/a: was 1 now true"]),
        ({"a": 1}, {"a": None}, ["/a: was 1 now null"]),
        ({"a": None}, {}, ["/a: removed: null"]),
        ({}, {"a/b~c": 1}, ["/a~1b~0c: added: 1"]),
        ([1, 2], [1, 3], ["/1: was 2 now 3"]),
        ({"l": LIST}, {"l": LIST[1:]}, ['/l/0: removed: {"n":1}']),
        ({"l": LIST[:2] + LIST[3:]}, {"l": LIST}, ['/l/2: added: {"n":3}']),
        (LIST, [*LIST[:2], {"n": 9}], ["/2/n: was 3 now 9", '/3: removed: {"n":4}']),
        ("x" * 300 + "a", "x" * 300 + "b", [f': was …{"x" * 50}a" now …{"x" * 50}b"']),
        ({"a": [1]}, {"a": {"0": 1}}, ['/a: was [1] now {"0":1}']),
    ],
)
def test_a_difference_is_seen_and_shown(was: Any, now: Any, shown: list[str]) -> None:
    found = list(differences(was, now))
    assert [str(own)[: len(text)] for own, text in zip(found, shown, strict=True)] == shown
    stored = [Difference.of_json(own.as_json()) for own in found]
    assert list(differences(applied(was, stored), now)) == []


def test_many_shapes_of_lists_come_back() -> None:
    numbers = [[n >> shift & 3 for shift in range(0, size, 2)] for size in (0, 4, 8) for n in range(2**size)]
    for was in numbers[::7]:
        for now in numbers[::5]:
            assert applied(was, list(differences(was, now))) == now


@pytest.mark.parametrize(
    "change",
    [
        Difference("/a", 2, 3),
        Difference("/b", 1, 3),
        Difference("/a", ABSENT, 3),
        Difference("/l/2", ABSENT, 3),
        Difference("/l/1", 1, ABSENT),
        Difference("/a/x", 1, 2),
        Difference("", 1, 2),
    ],
)
def test_a_change_that_does_not_fit_is_refused(change: Difference) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        applied({"a": 1, "l": [0]}, [change])


@pytest.fixture
def planted(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A part `x` of its own, recorded; change what it makes by writing into the answer."""
    files: dict[str, Any] = {"x/one": {"list": [1, 2], "text": "Hồ sơ"}}
    for name, path in (("RECORDED", "recorded"), ("CHANGES", "changes"), ("HASHES", "h"), ("TABLE", "CHANGES.md")):
        monkeypatch.setattr(book, name, tmp_path / path)
    (tmp_path / "CHANGES.md").write_text("| C001 | a | b | c |\n", "utf-8")
    monkeypatch.setattr(book, "part_names", lambda: ["x"])
    monkeypatch.setattr(book, "made", lambda part: dict(files))
    assert main(["--record"]) == 0
    return files


def test_the_command_says_each_difference(planted: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    planted["x/one"] = {"list": [1, 2, 3], "text": "hồ sơ"}
    planted["x/two"] = {}
    assert main(["x"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said == ["x/one: /list/2: added: 3", 'x/one: /text: was "Hồ sơ" now "hồ sơ"', "x/two: : added: {}"]


def test_what_is_recorded_stays_and_changes_lie_over_it(planted: dict[str, Any]) -> None:
    with pytest.raises(SystemExit):
        main(["--record"])
    planted["x/one"] = {"list": [2], "text": "Hồ sơ"}
    assert main(["--accept", "C001"]) == 0
    assert main([]) == 0
    del planted["x/one"]
    planted["x/two"] = 1
    assert main([]) == 1
    assert main(["--accept", "C002"]) == 0
    assert main([]) == 0
    with pytest.raises(SystemExit):
        main(["--accept", "C001"])
    assert book.recorded() == {"x/one": {"list": [1, 2], "text": "Hồ sơ"}}
    assert book.present_hashes() == book.hashes()
    assert sorted(book.table_lines()) != book.change_ids()  # C002 has no line yet


def test_an_edited_record_is_seen(planted: dict[str, Any]) -> None:
    (book.RECORDED / "x" / "one.json").write_text("{}\n", "utf-8")
    assert book.present_hashes() != book.hashes()


def test_an_overlay_that_does_not_fit_is_named(planted: dict[str, Any]) -> None:
    planted["x/one"] = {"list": [1, 2], "text": "khác"}
    assert main(["--accept", "C001"]) == 0
    path = book.CHANGES / "C001.json"
    path.write_text(path.read_text("utf-8").replace("Hồ sơ", "Hồ so"), "utf-8")
    with pytest.raises(ValueError, match="C001: x/one: /text"):
        book.expected()
