"""Secrets as they stand in `hub.control` and as a connector gets them; what a reference may point to."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import Settings
from hub.control import key_ring, secrets
from hub.control.vault import LITERAL_ONLY, References, Vault, has_clear, is_sealed, key_of, vault
from hub.errors import ConfigError

TEXT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def keeper(tmp_path: Path) -> Vault:
    key_ring.create(tmp_path / "secrets.key")
    (tmp_path / "secrets").mkdir()
    return Vault(tmp_path / "secrets.key", References(tmp_path / "secrets", "HUB_SECRET_"))


def test_sealed_for_one_subscriber_and_one_name_only(keeper: Vault) -> None:
    stands = keeper.sealed("national", {"password": TEXT})["password"]
    assert is_sealed(stands)
    assert TEXT not in stands
    assert keeper.open("national", "password", stands) == TEXT
    for subscriber, name in (("other", "password"), ("national", "token")):
        with pytest.raises(ConfigError, match="another subscriber") as caught:
            keeper.open(subscriber, name, stands)
        assert caught.value.field == f"secrets.{name}"
    assert keeper.sealed("national", {"password": TEXT})["password"] != stands, "the same text is not recognised"


def test_any_changed_character_is_seen(keeper: Vault) -> None:
    stands = keeper.sealed("n", {"signing": TEXT})["signing"]
    start = stands.rindex(":") + 1
    for at in range(start, len(stands)):
        other = "A" if stands[at] != "A" else "B"
        damaged = stands[:at] + other + stands[at + 1 :]
        with pytest.raises(ConfigError):
            keeper.open("n", "signing", damaged)
    for cut in (stands[:start], stands[:-4], "sealed:", "sealed:1:", "sealed:2:x:y"):
        with pytest.raises(ConfigError):
            keeper.open("n", "signing", cut)


def test_a_rotated_secret_opens_under_its_end(keeper: Vault) -> None:
    sealed = keeper.sealed("n", {"signing": TEXT})
    moment, until = datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)
    both = keeper.sealed("n", secrets.rotated(sealed, "signing", "whsec_bmV3", until, moment))
    assert {keeper.open("n", name, value) for name, value in both.items()} == {TEXT, "whsec_bmV3"}
    assert not has_clear(both)


def test_what_an_older_version_wrote_in_clear_is_read_and_sealed_at_the_next_write(keeper: Vault) -> None:
    assert keeper.open("n", "signing", TEXT) == TEXT
    assert not has_clear(keeper.sealed("n", {"signing": TEXT, "empty": "", "ref": "env:HUB_SECRET_X"}))


def test_rotation_of_the_key_and_its_loss(keeper: Vault) -> None:
    stands = keeper.sealed("n", {"signing": TEXT})
    first = key_of(stands["signing"])
    new = key_ring.add(keeper.key_file)
    assert keeper.open("n", "signing", stands["signing"]) == TEXT, "an old key opens"
    anew = keeper.sealed_anew("n", stands)
    assert key_of(anew["signing"]) == new.id
    assert key_ring.drop_old(keeper.key_file) == (first,)
    assert keeper.open("n", "signing", anew["signing"]) == TEXT
    with pytest.raises(ConfigError, match="rotate-secret n") as caught:
        keeper.open("n", "signing", stands["signing"])
    assert first in str(caught.value)
    keeper.key_file.unlink()
    with pytest.raises(ConfigError, match="hub secrets init"):
        keeper.sealed("n", {"signing": TEXT})


def test_the_key_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secrets.key"
    old = os.umask(0)
    try:
        key_ring.create(path)
        key_ring.add(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read it"):
        key_ring.read(path)


def test_many_who_make_it_at_once_have_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _made(path), range(32)))
    assert len(key_ring.read(path)) == 1
    assert os.listdir(tmp_path) == ["secrets.key"]


def _made(path: Path) -> None:
    key_ring.create(path)
    key_ring.read(path)


@pytest.mark.parametrize("content", ["x", "a b c", "k !!!!", "k QUJD", "\n\nk", "k " + "A" * 45])
def test_a_damaged_key_file_is_told_with_its_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="line") as caught:
        key_ring.read(path)
    assert caught.value.field == "secrets.key_file"


def test_references_reach_only_what_was_set_aside(
    keeper: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    (folder / "portal").write_text(f"{TEXT}\n")
    (tmp_path / "outside").write_text("root:x:0:0")
    (folder / "link").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "pipe")
    (folder / "large").write_bytes(b"x" * 70_000)
    (folder / "binary").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("HUB_SECRET_PORTAL", TEXT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not ours")
    for good in ("file:portal", f"file:{folder}/portal", "env:HUB_SECRET_PORTAL"):
        assert keeper.open("n", "signing", good) == TEXT
    bad = ["/etc/passwd", "../outside", f"{tmp_path}/outside", "link", "pipe", "large", "binary", "none", "", "."]
    for reference in [
        *(f"file:{one}" for one in bad),
        "env:AWS_SECRET_ACCESS_KEY",
        "env:PATH",
        "env:",
        "env:HUB_SECRET_NO",
    ]:
        with pytest.raises(ConfigError) as caught:
            keeper.open("n", "signing", reference)
        assert caught.value.field == "secrets.signing"
        assert "root:x" not in str(caught.value)
        assert "not ours" not in str(caught.value)


def test_a_connector_by_itself_opens_no_reference() -> None:
    for one in ("file:/etc/passwd", "env:PATH", "sealed:1:a:b"):
        with pytest.raises(ConfigError):
            LITERAL_ONLY.open("n", "signing", one)
    assert LITERAL_ONLY.open("n", "signing", TEXT) == TEXT


def test_where_the_settings_say(tmp_path: Path) -> None:
    own = vault(Settings(data_dir=tmp_path))
    assert own.key_file == tmp_path / "secrets.key"
    assert own.references == References(tmp_path / "secrets", "HUB_SECRET_")


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_any_text_comes_back(value: str, name: str) -> None:
    key = key_ring.Key("k", b"\1" * 32)

    class Fixed(Vault):
        def keys(self) -> tuple[key_ring.Key, ...]:
            return (key,)

    keeper = Fixed(Path("/nonexistent"), References(Path("/nonexistent"), "\0"))
    if has_clear({name: value}):
        stands = keeper.sealed("n", {name: value})[name]
        assert keeper.open("n", name, stands) == value
