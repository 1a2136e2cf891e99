"""Keys and rights: who may speak, in what name, about whose dossier."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import typer.testing
from pydantic import SecretStr

from hub.admin import organisations
from hub.admin.acts.organisations import NewOrganisation, OrganisationRights
from hub.cli import organisations as command
from hub.config import Settings
from hub.control import keys, rights
from hub.control.records import Organisation, now
from hub.errors import BadRecord, ConfigError
from hub.gateway.operators import operator


def test_a_key_is_256_bits_and_only_its_hash_is_kept() -> None:
    first, second = keys.generate(), keys.generate()
    assert first != second
    assert first.startswith("hub_")
    assert len(first) == 4 + 43
    # printf hub_x | sha256sum
    assert keys.digest("hub_x") == "2ad2edae702f70c6f2a5f354fcb5076542d270b586e0d76e1084da04c9bdce73"


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer hub_a"}, "hub_a"),
        ({"authorization": "bearer  hub_a "}, "hub_a"),
        ({"x-api-key": "hub_b"}, "hub_b"),
        ({"authorization": "Basic dTpw", "x-api-key": "hub_b"}, "hub_b"),
        ({"authorization": "Bearer"}, ""),
        ({}, ""),
    ],
)
def test_where_the_key_may_stand(headers: dict[str, str], key: str) -> None:
    assert keys.credential(headers) == key


def test_a_rotated_key_works_until_its_overlap_ends() -> None:
    org = Organisation(
        name="a",
        key_hashes=(keys.digest("new"), keys.digest("old"), keys.digest("older")),
        key_until={keys.digest("old"): now() + timedelta(hours=1), keys.digest("older"): now() - timedelta(seconds=1)},
    )
    ring = keys.KeyRing([org])
    assert (ring.holder("new"), ring.holder("old")) == (org, org)
    assert ring.holder("older") is None
    assert ring.holder("") is None
    ring.fill([])
    assert ring.holder("new") is None


@pytest.mark.parametrize(
    ("agencies", "agency", "covered"),
    [
        (("H11.12",), "H11.12", True),
        (("001.00.12.H11",), "H11.12.00.001", True),
        (("H11.12",), "H11", False),
        (("*",), "G22", True),
        (("H48", "*"), "G22", True),
        ((), "H11.12", False),
    ],
)
def test_a_right_covers_the_agency_and_its_parts(agencies: tuple[str, ...], agency: str, covered: bool) -> None:
    assert rights.covers(agencies, agency) is covered


def test_what_is_not_granted_is_refused_with_the_field() -> None:
    org = Organisation(name="a", sources=("urn:a",), agencies=("H11.12",), families=("dossier",))
    for check, field in (
        (lambda: rights.check_family(org, "service"), "type"),
        (lambda: rights.check_source(org, "urn:a:b"), "source"),
        (lambda: rights.check_agency(org, "H11.13", "data.x"), "data.x"),
    ):
        with pytest.raises(BadRecord) as caught:
            check()
        assert (caught.value.reason, caught.value.field) == ("right", field)


def test_agency_codes_are_kept_in_the_new_form_and_checked() -> None:
    assert organisations.checked({"name": "a", "agencies": ["000.00.12.H11", "*"]}).agencies == ("H11.12", "*")
    for values, field in (
        ({"name": "Ü"}, "name"),
        ({"name": "a", "agencies": ["h?"]}, "agencies"),
        ({"name": "a", "families": ["x"]}, "families.0"),
    ):
        with pytest.raises(ConfigError) as caught:
            organisations.checked(values)
        assert caught.value.field == field


def test_an_operator_needs_the_token_and_there_is_none_without_a_token() -> None:
    token = SecretStr("t")
    by = operator({"authorization": "Bearer t", "x-operator": "lan", "x-reason": "why"}, token)
    assert by is not None
    assert (by.who, by.said, by.why) == ("admin-token", "lan", "why")  # the header proves nothing
    assert operator({"x-api-key": "t"}, token).who == "admin-token"  # type: ignore[union-attr]
    assert operator({"authorization": "Bearer u"}, token) is None
    assert operator({}, token) is None
    assert operator({"authorization": "Bearer "}, None) is None
    assert operator({}, None) is None


# --- `role` of an organisation said nothing; old records, commands and calls that have it are still taken ----------


def test_an_old_control_record_with_a_role_is_read_and_shown_without_it() -> None:
    old = Organisation.model_validate_json('{"name": "so-xd", "role": "operator", "agencies": ["H11.12"]}')
    assert old == Organisation(name="so-xd", agencies=("H11.12",))
    assert "role" not in organisations.public(old)


@pytest.mark.parametrize("words", [["add", "so-xd"], ["change", "so-xd"]])
def test_the_option_is_taken_and_told_to_have_no_effect(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []

    async def add(_: Settings, organisation: Organisation, *__: Any) -> str:
        done.append(organisation)
        return "hub_key"

    async def change(_: Settings, name: str, changes: dict[str, Any], *__: Any) -> Organisation:
        done.append(Organisation(name=name, **changes))
        return done[0]

    async def get(*_: Any) -> Organisation:
        return done[0]

    monkeypatch.setattr(organisations, "get", get)
    monkeypatch.setattr(organisations, "add", add)
    monkeypatch.setattr(organisations, "change", change)
    shown = typer.testing.CliRunner().invoke(command.app, [*words, "--title", "Sở Xây dựng", "--role", "portal"])
    assert shown.exit_code == 0, shown.output
    families = {"families": ("dossier",)} if words[0] == "add" else {}
    assert done == [Organisation(name="so-xd", title="Sở Xây dựng", **families)]
    assert organisations.NO_ROLE in shown.stderr
    assert "--role" not in typer.testing.CliRunner().invoke(command.app, [words[0], "--help"]).stdout
    without = typer.testing.CliRunner().invoke(command.app, [*words, "--title", "Sở Xây dựng"])
    assert without.stderr == ""


def test_over_http_it_is_taken_and_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert OrganisationRights(name="so-xd", title="Sở Xây dựng").given() == {"title": "Sở Xây dựng"}
    assert caplog.messages == []
    assert NewOrganisation(name="so-xd", role="portal", title="Sở Xây dựng").given() == {"title": "Sở Xây dựng"}
    assert caplog.messages == [organisations.NO_ROLE]
    assert NewOrganisation.model_json_schema()["properties"]["role"]["deprecated"] is True
