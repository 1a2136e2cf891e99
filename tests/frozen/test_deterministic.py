"""What is frozen hangs on its inputs alone: another process, with another seed of hashes, another time zone, another
folder to stand in and settings in its environment, makes what is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frozen import book
from tests.frozen.differences import differences

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    "PYTHONHASHSEED": "4242",
    "TZ": "America/New_York",
    "LC_ALL": "C",
    "HUB_DATA_DIR": "/nowhere",
    "COLUMNS": "40",
}
SCRIPT = (
    "import json, sys; from tests.frozen import book; json.dump({n: book.made(n) for n in sys.argv[1:]}, sys.stdout)"
)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, book.Files]:
    """By part: what another process makes."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *book.part_names()],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env=os.environ | ELSEWHERE | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, book.Files] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("part", book.part_names())
def test_another_process_makes_the_same(part: str, elsewhere: dict[str, book.Files]) -> None:
    """Held against what is expected and not made here once more: `test_frozen` says that both are the same."""
    wanted = {name: value for name, value in book.expected().items() if name.startswith(f"{part}/")}
    assert [str(own) for own in differences(wanted, elsewhere[part])] == []
