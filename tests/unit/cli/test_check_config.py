"""`hub check-config`, in this process: what it prints and its exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.cli.main import main


def run(capsys, *words: str) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_defaults_are_valid(capsys):
    code, out, _err = run(capsys, "check-config")
    assert code == 0
    assert "all settings are valid" in out


def test_every_wrong_field_is_named(capsys, monkeypatch):
    monkeypatch.setenv("HUB_KAFKA__PARTITIONS", "many")
    monkeypatch.setenv("HUB_DELIVERY__WORKERS", "0")
    code, _out, err = run(capsys, "check-config")
    assert code == 2
    assert "kafka.partitions: " in err
    assert "delivery.workers: " in err


def test_a_wrong_file_is_named_too_and_json_lists_fields(capsys, tmp_path):
    (tmp_path / "hub.toml").write_text('[gateway]\nport = "high"\n')
    code, out, _err = run(capsys, "check-config", "--json")
    assert code == 2
    assert [e["field"] for e in json.loads(out)["errors"]] == ["gateway.port"]


def test_an_unknown_setting_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("HUB_KAFKAA__PARTITIONS", "3")
    code, _out, err = run(capsys, "check-config")
    assert code == 2
    assert "HUB_KAFKAA__PARTITIONS" in err


@pytest.mark.parametrize("words", [("check-config",), ("check-config", "--json")])
def test_secrets_are_masked_and_what_was_set_is_told(capsys, monkeypatch, words):
    monkeypatch.setenv("HUB_GATEWAY__ADMIN_TOKEN", "very-secret")
    code, out, err = run(capsys, *words)
    assert code == 0
    assert "very-secret" not in out + err
    assert "gateway.admin_token" in out
    assert "***" in out


def test_every_setting_is_shown(capsys):
    code, out, _err = run(capsys, "check-config", "--json")
    shown = json.loads(out)["settings"]
    assert code == 0
    assert shown["kafka.partitions"] == 12
    assert shown["embedded.port"] == 19092
    assert shown["kafka.bootstrap_servers"] is None


def test_wrong_usage_ends_with_2(capsys):
    assert run(capsys, "no-such-command")[0] == 2
    assert run(capsys, "check-config", "--no-such-option")[0] == 2
    assert run(capsys)[0] == 2
    code, _out, err = run(capsys, "run", "corr")
    assert code == 2
    assert "'corr' is no role" in err


def test_help_names_every_command(capsys):
    code, out, _err = run(capsys, "--help")
    assert code == 0
    assert "check-config" in out
    assert "trace" in out


def test_the_calendar_of_deadlines_is_looked_into(capsys, monkeypatch, tmp_path):
    (tmp_path / "days.json").write_text(
        '{"days": [{"day": "2027-02-30", "working": false, "why": "a", "source": "b"}]}'
    )
    monkeypatch.setenv("HUB_DEADLINES__CALENDAR_FILE", "days.json")
    monkeypatch.setenv("HUB_DEADLINES__HOURS", '[["07:30", "11:30"], ["13:30", "17:00"]]')
    code, _out, err = run(capsys, "check-config")
    assert code == 2
    assert "deadlines.calendar_file: days.json: row 1" in err
    (tmp_path / "days.json").write_text('{"days": []}')
    assert run(capsys, "check-config")[0] == 0


def test_settings_of_connectors_and_rules_are_checked_too(capsys, tmp_path):
    (tmp_path / "score.toml").write_text("[measure]\n")
    (tmp_path / "hub.toml").write_text(
        """
        [sources.national-catalogue]
        time_units = {"Tuần" = "Tuần"}
        [inbound.national-portal]
        clients = ["127.0.0.1"]
        paths = {"search/call" = "/x y"}
        """
    )
    code, out, _err = run(capsys, "check-config", "--json")
    assert code == 2
    fields = [error["field"] for error in json.loads(out)["errors"]]
    assert fields == ["sources.national-catalogue.time_units", "inbound.national-portal.paths"]
    (tmp_path / "hub.toml").write_text(f"[figures]\nrules_file = '{tmp_path / 'score.toml'}'\n")
    code, _out, err = run(capsys, "check-config")
    assert code == 2
    assert "figures.rules_file: " in err


def test_right_settings_of_connectors_are_no_error(capsys, tmp_path):
    (tmp_path / "hub.toml").write_text(
        """
        [sources.national-catalogue]
        time_units = {"Ngày LV" = "Ngày làm việc"}
        [inbound.national-portal]
        clients = ["127.0.0.1"]
        """
    )
    assert run(capsys, "check-config")[0] == 0
