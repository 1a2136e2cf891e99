"""What comments and pages cite stands in the repository: pages, notes, paths, tests, decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hub.model.transitions import TRANSITIONS
from tests.chaos.engine_mutations import MUTATIONS

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
ROOMS = ("hub", "connectors", "schemas", "tests", "deploy", "docs", "requirements")
SUFFIXES = {".py", ".md", ".json", ".toml", ".avsc", ".html", ".yaml", ".yml", ".java", ".in", ".conf", ".service"}
FIELD = sorted(page.stem for page in (DOCS / "field").glob("*.md"))
PAGE = re.compile(r"\bdocs/[\w./-]+\.md(?:#[\w-]+)?")
NOTE = re.compile(rf"(?<![\w/.#-])({'|'.join(FIELD)})#([\w-]+)")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
CODE_PATH = re.compile(
    r"`((?:hub|connectors|schemas|tests|deploy|docs|requirements)/[\w./*\[\]-]*)(?:::(\w+))?[^`\n]*`"
)
FILE = re.compile(r"`([\w.-]+\.(?:py|md|toml|avsc|sh|html))(?: [^`\n]*)?`")
MODULE = re.compile(r"python -m ((?:hub|tests)[\w.]*)|`((?:hub|hub_connectors)(?:\.[a-z]\w*){2}(?:\.\w+)*)`")
"""What is run, and names of three parts and more: one of two may be a topic, as `hub.events`."""
GIVEN = {"hub.toml", "mapping.toml"}
"""Files that a user writes."""
DECISION = re.compile(r"\b[Dd]ecision (\d+)\b(?! ?/)")
LAW = {766}
"""Decision 766 is the Prime Minister's."""
# Documents that a reader of the repository does not have.
GONE = re.compile(
    r"domain notes?\b|\bdesign (?:notes\b|section\b|\d)|\b(?:design|peers|style)\.md\b|(?<!#)\bissue \d|\bfindings? \d"
    r"|prototype's finding",
    re.IGNORECASE,
)


def files() -> Iterator[Path]:
    """All texts of the repository but what is recorded by a program, and this file, which names what must not be."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            where = path.relative_to(ROOT).as_posix()
            recorded = where.startswith(("tests/frozen/", "tests/bench/results/")) and not where.endswith(".md")
            if path.suffix in SUFFIXES and path.is_file() and not recorded and path != Path(__file__):
                yield path
    yield from (ROOT / name for name in ("README.md", "CHANGELOG.md", "Makefile", "pyproject.toml"))


TEXTS = {path: path.read_text("utf-8") for path in files()}
PAGES = [path for path in TEXTS if path.suffix == ".md"]
LIVE_PAGES = [path for path in PAGES if path.parent.name != "decisions" and path.name != "CHANGELOG.md"]
"""Pages that tell how it is now; a decision tells how it was when it was taken."""


def slug(heading: str) -> str:
    """The anchor of a heading, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Of all headings outside code blocks."""
    prose = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return frozenset(slug(heading) for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE))


def missing(page: Path, anchor: str) -> bool:
    """Whether there is no such page, or no such note on it."""
    return not page.exists() or bool(anchor and page.suffix == ".md" and anchor not in anchors(page))


def pages_cited(text: str) -> list[str]:
    """`docs/page.md#note` and, on pages of the field, `page#note`, that lead nowhere."""
    cited = [(ROOT / found.partition("#")[0], found.partition("#")[2], found) for found in PAGE.findall(text)]
    cited += [(DOCS / "field" / f"{page}.md", note, f"{page}#{note}") for page, note in NOTE.findall(text)]
    return [found for page, note, found in cited if missing(page, note)]


def links_broken(page: Path, text: str) -> list[str]:
    """Links of a page, to itself too, that lead nowhere."""
    broken = []
    for target in LINK.findall(re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)):
        path, _, anchor = target.partition("#")
        if missing((page.parent / path).resolve() if path else page, anchor):
            broken.append(target)
    return broken


def paths_missing(text: str, beside: Path = ROOT) -> list[str]:
    """Paths in backticks, from the root or `beside`, that do not exist, and tests that their file does not define."""
    wrong = []
    for path, name in CODE_PATH.findall(text):
        found = [found for root in (ROOT, beside) for found in root.glob(path.rstrip("/"))]
        if not found or (name and f"def {name}(" not in found[0].read_text("utf-8")):
            wrong.append(f"{path}::{name}" if name else path)
    return wrong


def files_missing(text: str) -> list[str]:
    """Bare file names in backticks that no file of the repository has."""
    return sorted(set(FILE.findall(text)) - GIVEN - file_names())


@cache
def file_names() -> frozenset[str]:
    return frozenset(path.name for room in ROOMS for path in (ROOT / room).rglob("*.*")) | {
        path.name for path in ROOT.iterdir()
    }


def modules_missing(text: str) -> list[str]:
    """Modules that there are not, and names that their module does not have."""
    return sorted({name for found in MODULE.findall(text) if not leads_to_code(name := "".join(found))})


def leads_to_code(name: str) -> bool:
    """Whether the longest part of it that is a module has the rest."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        for place in (ROOT.joinpath(*parts[:end]), ROOT.joinpath("connectors", *parts[:end])):
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if file.is_file():
                    rest = parts[end:]
                    return all(re.search(rf"\b(?:def|class) {word}\b", file.read_text("utf-8")) for word in rest)
    return False


def decisions_missing(text: str) -> list[int]:
    """Numbers of decisions that there are not."""
    return sorted({int(n) for n in DECISION.findall(text)} - LAW - set(decisions()))


@cache
def decisions() -> tuple[int, ...]:
    return tuple(sorted(int(path.name[:4]) for path in (DOCS / "decisions").glob("[0-9]*.md")))


def of_all(check: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for path, text in TEXTS.items()
        for found in check.finditer(text)
    ]


def test_nothing_cites_a_document_that_is_not_here() -> None:
    assert of_all(GONE) == []


def test_every_page_and_note_that_a_text_names_exists() -> None:
    assert {str(p.relative_to(ROOT)): bad for p, t in TEXTS.items() if (bad := pages_cited(t))} == {}


def test_every_link_of_a_page_leads_somewhere() -> None:
    assert {str(p.relative_to(ROOT)): bad for p in PAGES if (bad := links_broken(p, TEXTS[p]))} == {}


def test_every_path_and_test_that_a_page_names_exists() -> None:
    assert {str(p.relative_to(ROOT)): bad for p in LIVE_PAGES if (bad := paths_missing(TEXTS[p], p.parent))} == {}


def test_every_file_that_a_page_names_without_its_folder_exists() -> None:
    assert {str(p.relative_to(ROOT)): bad for p in LIVE_PAGES if (bad := files_missing(TEXTS[p]))} == {}


def test_every_module_that_a_page_names_exists() -> None:
    assert {str(p.relative_to(ROOT)): bad for p in LIVE_PAGES if (bad := modules_missing(TEXTS[p]))} == {}


def test_every_decision_that_a_text_names_exists() -> None:
    assert {str(p.relative_to(ROOT)): bad for p, t in TEXTS.items() if (bad := decisions_missing(t))} == {}


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    assert decisions() == tuple(range(1, len(decisions()) + 1))
    listed = LINK.findall((DOCS / "decisions" / "README.md").read_text("utf-8"))
    names = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
    assert [name for name in listed if name[0].isdigit()] == names
    for name in names:
        title = (DOCS / "decisions" / name).read_text("utf-8").splitlines()[0]
        assert title.startswith(f"# {int(name[:4])}. "), name


def test_every_mend_keeps_a_finding_of_the_page() -> None:
    assert {mutation.finding for mutation in MUTATIONS} <= anchors(DOCS / "engine.md")


def test_every_transition_names_a_note_or_is_ours() -> None:
    """That the note exists is seen with all others, in the module's text."""
    assert [t for t in TRANSITIONS if not NOTE.search(t.source) and not t.source.startswith("ours")] == []


@pytest.mark.parametrize("page", FIELD)
def test_every_page_of_the_field_is_in_its_index(page: str) -> None:
    index = (DOCS / "field" / "README.md").read_text("utf-8")
    assert page == "README" or f"]({page}.md)" in index


@pytest.mark.parametrize(
    "text",
    [
        "see domain notes 1.7",
        "(design 5)",
        "design notes, section 5",
        "peers.md 42",
        "issue 8 asks",
        "Finding 26: a batch",
    ],
)
def test_a_citation_of_what_is_not_here_is_seen(text: str) -> None:
    assert GONE.search(text)


def test_what_leads_nowhere_is_seen(tmp_path: Path) -> None:
    assert pages_cited("docs/field/codes.md#nothing docs/none.md portal#none") == [
        "docs/field/codes.md#nothing", "docs/none.md", "portal#none",
    ]  # fmt: skip
    assert pages_cited("docs/field/codes.md#agency-codes portal#services docs/field/time.md") == []
    page = tmp_path / "page.md"
    page.write_text("# A *note*, `here`\n```\n# no heading\n```\n")
    assert anchors(page) == {"a-note-here"}
    assert links_broken(page, "[a](#a-note-here) [b](#b) [c](other.md)") == ["#b", "other.md"]
    assert paths_missing("`hub/none.py` `tests/unit/docs/test_citations.py::test_none` `hub/model/codes.py`") == [
        "hub/none.py", "tests/unit/docs/test_citations.py::test_none",
    ]  # fmt: skip
    assert files_missing("`nothing.py` `codes.py` `hub.toml`") == ["nothing.py"]
    assert modules_missing("python -m hub.none, `hub.model.codes.covers`, `hub.model.codes.nothing`, `hub.events`") == [
        "hub.model.codes.nothing", "hub.none",
    ]  # fmt: skip
    assert decisions_missing("Decision 766, decision 1, decision 9999") == [9999]
