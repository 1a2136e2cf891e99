"""Alert rules and dashboards: promtool's own tests, and that they name only metrics that the hub has."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import prometheus_client

from hub.observe import metrics
from tests.support.debian import program

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy" / "prometheus"
SUFFIXES = ("", "_total", "_bucket", "_count", "_sum")


def known_series() -> set[str]:
    names = set()
    for found in vars(metrics).values():
        if isinstance(found, prometheus_client.metrics.MetricWrapperBase):
            names |= {found._name + suffix for suffix in SUFFIXES}
    return names


def test_promtool_passes_the_rules_own_tests() -> None:
    promtool = program("prometheus", "usr/bin/promtool")
    done = subprocess.run(
        [promtool, "test", "rules", "rules_test.yml"], cwd=DEPLOY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(
        [promtool, "check", "config", "prometheus.yml"], cwd=DEPLOY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_dashboards_name_only_metrics_of_the_catalogue() -> None:
    texts = [(DEPLOY / "rules.yml").read_text()]
    texts += [path.read_text() for path in (ROOT / "deploy" / "grafana").glob("*.json")]
    named = set(re.findall(r"\bhub_[a-z_]+\b", "\n".join(texts)))
    assert len(named) > 10
    assert named - known_series() == set()


def test_every_alert_has_a_test_and_a_section_in_the_runbook() -> None:
    alerts = set(re.findall(r"alert: (\w+)", (DEPLOY / "rules.yml").read_text()))
    tested = set(re.findall(r"alertname: (\w+)", (DEPLOY / "rules_test.yml").read_text()))
    sections = set(re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.M))
    assert alerts == tested
    assert alerts - sections == set()


def test_every_metric_has_a_meaning_and_no_label_for_ids() -> None:
    allowed = {"connection", "role", "kind", "topic", "store", "stage", "reason", "outcome"}
    kind = prometheus_client.metrics.MetricWrapperBase
    every = [found for found in vars(metrics).values() if isinstance(found, kind)]
    assert len(every) > 20
    for found in every:
        assert len(found._documentation) > 15, found._name
        assert set(found._labelnames) <= allowed, found._name


def test_the_dashboard_is_valid_and_every_panel_has_a_query() -> None:
    boards = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
    assert boards
    for path in boards:
        board = json.loads(path.read_text())
        assert board["panels"], path
        for panel in board["panels"]:
            assert panel["targets"], panel["title"]
            assert all(target["expr"] for target in panel["targets"]), panel["title"]
