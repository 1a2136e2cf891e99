"""Back-off and giving up, and settings handed to children, judged by hand-written values."""

from __future__ import annotations

import pytest

from hub import exit_codes
from hub.config import Settings, load
from hub.supervisor import environment
from hub.supervisor.restarts import Policy, Restarts


def test_waits_double_to_the_cap_and_then_it_is_left_down():
    restarts = Restarts(Policy(first_s=0.5, cap_s=3.0, steady_s=60, lives=6))
    assert [restarts.after(1.0, 1) for _ in range(6)] == [0.5, 1.0, 2.0, 3.0, 3.0, None]


def test_a_steady_life_clears_the_count():
    restarts = Restarts(Policy(first_s=0.5, cap_s=30, steady_s=60, lives=3))
    assert [restarts.after(lived, -9) for lived in (1, 1, 61, 1, 1)] == [0.5, 1.0, 0.5, 1.0, None]


def test_a_wrong_setting_is_not_tried_twice():
    assert Restarts().after(0.1, exit_codes.USAGE) is None


def test_a_child_gets_exactly_the_parents_settings(monkeypatch, tmp_path):
    settings = environment.with_ports(
        Settings(
            data_dir=tmp_path / "x y",
            embedded={"port": 0},
            kafka={"security_protocol": "SASL_PLAINTEXT", "sasl_username": "core", "sasl_password": "s3cret=,"},
            observe={"port_base": 0, "log_format": "json"},
        )
    )
    assert settings.embedded.port > 0
    for name, value in environment.variables(settings).items():
        if name.startswith("HUB_"):
            monkeypatch.setenv(name, value)
    assert load() == settings


@pytest.mark.parametrize("name", ["HUB_PROFILE", "HUB_DELIVERY__WORKERS"])
def test_what_the_parents_environment_says_does_not_leak_past_its_settings(monkeypatch, name):
    monkeypatch.setenv(name, "nonsense")
    assert environment.variables(Settings.model_construct(**dict(Settings.model_construct())))[name] != "nonsense"
