"""H2: nothing that an agency can write decides what is read, from where, or where to: cursor, mapping, names."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from hub.config import Settings
from hub.connect.source import Check
from hub.errors import ConfigError
from hub_connectors.filedrop import names
from hub_connectors.filedrop.settings import places, read
from tests.support.file_drop import HEAD, MAPPING, NAME, Site, following, row, subjects

LONG = "Danh sách hồ sơ tiếp nhận và trả kết quả của Ủy ban nhân dân thành phố Phan Thiết tháng mười một năm hai " * 2


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_cursor_in_the_agency_s_folder_is_not_believed(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "victim.csv").write_text(HEAD + row(8))
    forged = {"file": "../../../victim.csv", "identity": "x", "offset": 0, "line": 0, "rejected": 0, "end": True,
              "into": "../../..", "name": "taken.csv", "failed": "written outside"}  # fmt: skip
    (site.folder / ".cursor.json").write_text(json.dumps(forged))
    (site.folder / "a.csv").write_text(HEAD + row(1))
    assert subjects(await site.drain(site.idle)) == ["0001"]
    assert (tmp_path / "victim.csv").exists()
    assert not list(tmp_path.glob("taken.csv*"))
    assert sum(".cursor.json is not used" in r.message for r in caplog.records) == 1


async def test_a_mapping_in_the_agency_s_folder_is_not_used(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    forged = MAPPING.replace("H11.12:motcua", "H11.99:other")
    (site.folder / "mapping.toml").write_text(forged, "utf-8")
    (site.folder / "a.csv").write_text(HEAD + row(1))
    (batch,) = await site.drain(site.idle)
    assert [e.envelope.source for e in batch.events] == ["urn:vn:gov:H11.12:motcua"]
    told = [r.message for r in caplog.records if "mapping.toml is not used" in r.message]
    assert len(told) == 1
    assert f"move it to {site.places.mappings}/{NAME}.toml" in told[0]
    assert (site.folder / "mapping.toml").exists()


async def test_a_folder_with_its_own_mapping_alone_is_not_read(site: Site) -> None:
    """The layout of older versions, before the operator moves the mapping."""
    other = site.places.drop / "bac-binh"
    other.mkdir()
    (other / "mapping.toml").write_text(MAPPING, "utf-8")
    (other / "x.csv").write_text(HEAD + row(8))
    (site.folder / "a.csv").write_text(HEAD + row(1))
    assert subjects(await site.drain(site.idle)) == ["0001"]
    assert (other / "x.csv").exists()
    drop = {check.what: check for check in site.source().checks()}["filedrop drop"]
    assert drop.ok is False
    assert f"move it to {site.places.mappings}/bac-binh.toml" in drop.sentence
    (other / "mapping.toml").rename(site.places.mappings / "bac-binh.toml")
    assert subjects(await site.drain(lambda: not (other / "x.csv").exists())) == ["0008"]


@pytest.mark.parametrize("content", [b"{", b"", b"[]", b'{"file": 7}', b"\xff", b'{"end": true}', b"null"])
async def test_a_damaged_cursor_is_set_aside_and_the_file_read_again_with_the_same_ids(
    site: Site, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (site.folder / "a.csv").write_text(HEAD + row(1) + row(2, "31/02/2011") + row(3))
    async with site.watching() as (drop, batches):
        first = await following(batches)
        await drop.confirmed(first)
    (site.state / "cursor.json").write_bytes(content)
    later = await site.drain(site.idle)
    assert subjects(later) == ["0001", "0003"]
    assert later[0].events[0].envelope.id == first.events[0].envelope.id
    assert [r.id for r in later[0].refused] == [r.id for r in first.refused]
    assert (site.state / "cursor.json.damaged").read_bytes() == content
    assert any("damaged" in r.message for r in caplog.records)
    assert sorted(p.name for p in site.done.iterdir()) == ["a.csv", "a.csv.rejected.csv"]


NAMES = {
    "long": (LONG[:120].encode() + LONG.encode())[:251].decode(errors="ignore").rstrip() + ".csv",
    "not UTF-8": os.fsdecode(b"th\xe1ng.csv"),
    "control": "a\x1b[31m\n\r.csv",
    "backwards": "a\u202evsc.exe.csv",
    "quotes": "'\"`$(id);&|<>*?.csv",
    "dots": "x....csv",
    "spaces": " x .csv",
    "as a result": "x.csv.rejected.csv",
    "as a reason": "x.csv.reason.txt.csv",
    "no stem": "%00.csv",
    "long suffix": "x." + "y" * 240,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("good", [True, False])
async def test_a_name_of_any_kind_works_and_its_results_have_a_safe_one(site: Site, name: str, good: bool) -> None:
    assert len(os.fsencode(name)) <= 255
    (site.folder / name).write_text(HEAD + row(1) + row(2, "31/02/2011") if good else "x\n")
    at = site.done if good else site.failed
    found = await site.drain(lambda: list(site.folder.iterdir()) == [] and not (site.state / "cursor.json").exists())
    assert subjects(found) == (["0001"] if good else [])
    results = sorted(path.name for path in at.iterdir())
    assert len(results) == 2
    for result in results:
        assert result.isprintable()
        assert not result.startswith(".")
        assert len(result.encode()) <= 255
    for batch in found:
        for one in batch.refused:
            one.where.encode()
            assert one.where.isprintable()


def test_names_that_differ_stay_different() -> None:
    made = ["a\x01.csv", "a\x02.csv", "a_.csv", "x" * 250 + "1.csv", "x" * 250 + "2.csv", "đ" * 120 + ".csv"]
    assert len({names.result(name) for name in made}) == len(made)
    assert names.result("tháng 10.csv") == "tháng 10.csv"
    assert all(len(names.result(name).encode()) <= names.LONGEST for name in made)


async def test_results_of_colliding_names_do_not_replace_each_other(site: Site) -> None:
    bad = HEAD + row(1, "31/02/2011")
    for name, content in (("x.csv.rejected.csv", bad), ("x.csv", bad + row(2)), ("x~2.csv", bad), ("x.csv", bad)):
        (site.folder / name).write_text(content)
        await site.drain(site.idle)
    texts = {path.name: path.read_text("utf-8-sig") for path in site.done.iterdir()}
    assert sum(text.startswith("line,reason") for text in texts.values()) == 4
    assert sum(text.startswith(HEAD) for text in texts.values()) == 4


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"mappings_dir": "/srv/drop/mappings"}, "sources.filedrop.mappings_dir"),
        ({"results_dir": "/srv/drop"}, "sources.filedrop.results_dir"),
        ({"results_dir": "/srv"}, "sources.filedrop.results_dir"),
    ],
)
def test_no_place_of_the_hub_lies_in_the_drop(given: dict[str, str], field: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, filedrop_dir=Path("/srv/drop"), sources={"filedrop": given})
    with pytest.raises(ConfigError, match="must not lie in each other") as caught:
        places(settings)
    assert caught.value.field == field


@pytest.mark.parametrize("given", [{"max_row": 1}, {"max_rows": 0}, {"max_seconds": "soon"}])
def test_a_wrong_setting_is_named(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=rf"sources\.filedrop\.{next(iter(given))}"):
        read(Settings(sources={"filedrop": given}))


# --- hub doctor -----------------------------------------------------------------------------------------------------


def said(site: Site) -> dict[str, Check]:
    return {check.what: check for check in site.source().checks()}


async def test_the_doctor_finds_nothing_wrong_with_what_the_source_makes(site: Site) -> None:
    assert said(site)["filedrop state"].ok is None
    (site.places.mappings / f"{NAME}.toml").chmod(0o600)
    site.folder.chmod(0o2770)
    (site.folder / "a.csv").write_text(HEAD + row(1))
    await site.drain(site.idle)
    assert {what: check.ok for what, check in said(site).items()} == dict.fromkeys(
        ("filedrop mappings", "filedrop state", "filedrop results", "filedrop drop"), True
    )


@pytest.mark.parametrize("bit", [stat.S_IWGRP, stat.S_IWOTH])
async def test_the_doctor_finds_what_others_can_write(site: Site, bit: int) -> None:
    (site.folder / "a.csv").write_text(HEAD + row(1))
    await site.drain(site.idle)
    mapping = site.places.mappings / f"{NAME}.toml"
    mapping.chmod(0o600)
    for what, path in (
        ("filedrop mappings", site.places.mappings), ("filedrop mappings", mapping), ("filedrop state", site.state),
        ("filedrop results", site.done), ("filedrop drop", site.places.drop),
    ):  # fmt: skip
        mode = path.stat().st_mode
        path.chmod(mode | bit)
        assert said(site)[what].ok is False, path
        assert f"{path} can be written by others" in said(site)[what].sentence
        path.chmod(mode)
    assert said(site)["filedrop mappings"].ok


def test_the_doctor_finds_links_a_stranger_s_mapping_and_a_missing_folder(site: Site, tmp_path: Path) -> None:
    (site.places.mappings / "linked.toml").symlink_to(tmp_path)
    (site.places.drop / "linked").symlink_to(tmp_path)
    site.add("bac-binh").rmdir()
    assert f"{site.places.mappings}/linked.toml is a link" in said(site)["filedrop mappings"].sentence
    assert f"{site.places.drop}/linked is no folder, a link perhaps" in said(site)["filedrop drop"].sentence
    assert f"there is no folder {site.places.drop}/bac-binh" in said(site)["filedrop drop"].sentence
    site.folder.chmod(0o777)
    assert "can be written by everybody" in said(site)["filedrop drop"].sentence
    if os.geteuid() == 0:
        os.chown(site.places.mappings / f"{NAME}.toml", 12_345, 12_345)
        assert "belongs to user 12345" in said(site)["filedrop mappings"].sentence
