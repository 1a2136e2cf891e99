"""H1: regular files only. Whatever else stands in an agency's folder is told and not read, and never followed."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from hub.connect.source import Batch
from hub.errors import StartError
from hub_connectors.filedrop import inbox
from hub_connectors.filedrop.handles import Folder
from tests.support.file_drop import HEAD, NAME, Site, following, row, subjects

SECRET = HEAD + "000.00.12.H11-111011-0001,BÍ MẬT 060090001234,11/10/2011 08:00:00\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def leaked(site: Site, batches: list[Batch]) -> bool:
    """Whether a word of SECRET stands in anything that came of the drop."""
    told = b"".join(r.original + r.detail.encode() for batch in batches for r in batch.refused)
    files = [path.read_bytes() for path in site.places.results.rglob("*") if path.is_file()]
    return any("BÍ MẬT".encode() in one for one in (told, *files)) or bool(subjects(batches))


async def refused(site: Site, name: str) -> list[Batch]:
    """Until that entry is put aside; a good file beside it is read."""
    (site.folder / "good.csv").write_text(HEAD + row(9))
    return await site.drain(
        lambda: os.path.lexists(site.folder / f"{name}.refused") and (site.done / "good.csv").exists()
    )


def link(site: Site, tmp: Path) -> None:
    (tmp / "other.csv").write_text(SECRET)
    (site.folder / "x.csv").symlink_to(tmp / "other.csv")


def hard_link(site: Site, tmp: Path) -> None:
    (tmp / "other.csv").write_text(SECRET)
    os.link(tmp / "other.csv", site.folder / "x.csv")


def dead_link(site: Site, tmp: Path) -> None:
    (site.folder / "x.csv").symlink_to(tmp / "nowhere")


def link_to_a_folder(site: Site, tmp: Path) -> None:
    (tmp / "folder").mkdir()
    (site.folder / "x.csv").symlink_to(tmp / "folder")


def fifo(site: Site, tmp: Path) -> None:
    os.mkfifo(site.folder / "x.csv")


def unix_socket(site: Site, tmp: Path) -> None:
    here = os.getcwd()
    os.chdir(site.folder)  # the name of a socket may have 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("x.csv")
    finally:
        os.chdir(here)


def device(site: Site, tmp: Path) -> None:
    try:
        os.mknod(site.folder / "x.csv", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("devices are made by root only")


KINDS = {
    link: "a link",
    dead_link: "a link",
    link_to_a_folder: "a link",
    hard_link: "another name",
    fifo: "a FIFO",
    unix_socket: "a socket",
    device: "a device",
}


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
async def test_what_is_no_file_of_its_own_is_refused_and_told(site: Site, tmp_path: Path, make) -> None:
    make(site, tmp_path)
    found = await refused(site, "x.csv")
    told = [r for batch in found for r in batch.refused]
    assert [(r.reason, r.original) for r in told] == [("right", b"")]
    assert KINDS[make] in told[0].detail
    assert subjects(found) == ["0009"]
    assert not leaked(site, [b for b in found if b.refused])
    reason = (site.failed / "x.csv.reason.txt").read_text("utf-8-sig")
    assert KINDS[make] in reason
    if (other := tmp_path / "other.csv").exists():
        assert other.read_text() == SECRET


async def test_hard_links_are_read_where_the_operator_says_so(tmp_path: Path) -> None:
    site = Site(tmp_path, hard_links=True)
    (tmp_path / "other").write_text(HEAD + row(1))
    os.link(tmp_path / "other", site.folder / "x.csv")
    assert subjects(await site.drain(site.idle)) == ["0001"]


async def test_a_file_exchanged_for_a_link_between_look_and_opening_is_not_read(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an agency would that has a script: at the moment when the hub has looked and opens."""
    (tmp_path / "other.csv").write_text(SECRET)
    path, real = site.folder / "x.csv", os.open
    path.write_text(HEAD + row(1))

    def exchanging(name, flags, mode=0o777, *, dir_fd=None):
        if name == "x.csv" and not path.is_symlink() and path.exists():
            path.unlink()
            path.symlink_to(tmp_path / "other.csv")
        return real(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", exchanging)
    found = await refused(site, "x.csv")
    assert not leaked(site, [b for b in found if b.refused])


async def test_a_linked_folder_is_told_and_others_go_on(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = site.add("bac-binh")
    other.rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.csv").write_text(SECRET)
    other.symlink_to(tmp_path / "elsewhere")
    (site.folder / "good.csv").write_text(HEAD + row(9))
    assert subjects(await site.drain(site.idle)) == ["0009"]
    assert (tmp_path / "elsewhere" / "x.csv").exists()
    assert sum("bac-binh is a link" in r.message for r in caplog.records) == 1


@pytest.mark.parametrize("part", ["drop", "var"])
async def test_a_link_in_the_drop_s_own_path_is_told_at_the_start(site: Site, part: str) -> None:
    at = site.places.drop if part == "drop" else site.settings.data_dir
    at.rename(at.with_name("real"))
    at.symlink_to(at.with_name("real"))
    async with site.watching() as (_, batches):
        with pytest.raises(StartError, match=r"is a link.*set filedrop_dir to .*real"):
            await following(batches)


async def test_done_as_a_link_in_the_agency_s_folder_leads_nowhere(site: Site, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (site.folder / "done").symlink_to(tmp_path / "victim")
    (site.folder / "failed").symlink_to(tmp_path / "victim")
    (site.folder / "a.csv").write_text(HEAD + row(1) + row(2, "31/02/2011"))
    (site.folder / "b.csv").write_text("x\n")
    await site.drain(lambda: (site.done / "a.csv").exists() and (site.failed / "b.csv").exists())
    assert list((tmp_path / "victim").iterdir()) == []


async def test_a_link_among_the_results_is_not_written_through(site: Site, tmp_path: Path) -> None:
    """Only the hub writes there; should it be otherwise, nothing outside is touched."""
    (tmp_path / "victim").write_text("as it was")
    for folder in (site.done, site.failed):
        folder.mkdir(parents=True)
    (site.failed / ".x.csv.reason.txt.part").symlink_to(tmp_path / "victim")
    (site.done / "a.csv").symlink_to(tmp_path / "victim")
    (site.folder / "x.csv").write_text("x\n")
    (site.folder / "a.csv").write_text(HEAD + row(1))
    (site.folder / "y.csv").write_text(HEAD + row(2))
    await site.drain(lambda: (site.done / "a~2.csv").exists() and (site.done / "y.csv").exists())
    assert (tmp_path / "victim").read_text() == "as it was"
    assert (site.state.parent / NAME).is_dir()


async def test_what_cannot_be_put_aside_is_told_once_and_others_are_read(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agency may keep the hub from renaming; and from a time before 1970 a file's time is negative."""
    link(site, tmp_path)
    os.utime(site.folder / "x.csv", ns=(-5, -5), follow_symlinks=False)

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(inbox, "put_aside", forbidden)
    looks, real, y = [], Folder.names, site.folder / "y.csv"

    def counted(self: Folder, most: int) -> list[str]:
        looks.append(self.path)
        return real(self, most)

    stages: list[str] = []

    def looked_on_before_and_after_y() -> bool:
        """x is found at each look: y has its turn all the same, and the source ends when it is asked to."""
        ready = [(site.failed / "x.csv.reason.txt").exists(), (site.done / "y.csv").exists() and not y.exists()]
        if len(stages) < 2 and ready[len(stages)]:
            stages.append("x" if not stages else "y")
            looks.clear()
        if stages == ["x"] and len(looks) > 20 and not y.exists() and not (site.done / "y.csv").exists():
            y.write_text(HEAD + row(2))
        return len(stages) == 2 and len(looks) > 20

    monkeypatch.setattr(Folder, "names", counted)
    found = await site.drain(looked_on_before_and_after_y)
    assert subjects(found) == ["0002"]
    assert sum(len(b.refused) for b in found) == 1


async def test_a_file_that_cannot_be_taken_away_stops_its_folder_and_no_other(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = Folder.remove

    def forbidden(self: Folder, name: str) -> None:
        if self.path == site.folder:
            raise PermissionError(13, "Permission denied", name)
        real(self, name)

    other = site.add("bac-binh")
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "remove", forbidden)
        (site.folder / "a.csv").write_text(HEAD + row(1))
        await site.drain(lambda: any("Permission denied" in r.message for r in caplog.records))
        (other / "b.csv").write_text(HEAD + row(2))
        assert subjects(await site.drain((site.places.results / "bac-binh" / "done" / "b.csv").exists)) == ["0002"]
    assert (site.folder / "a.csv").exists()
    assert subjects(await site.drain(site.idle)) == [], "its rows were taken"
    assert [path.name for path in site.done.iterdir()] == ["a.csv"]
