"""The dashboard: each of its queries shows something that the services really tell."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml

from senconet.local import promtool
from tests.architecture.source import ROOT
from tests.deploy import alerts, dashboards
from tests.deploy.alerts import SAMPLES
from tests.deploy.dashboards import DASHBOARD, Target, not_told, targets_of

PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
NEEDED = {
    "senconet_received_total",
    "senconet_decided_total",
    "senconet_behind_seconds",
    "senconet_held",
    "senconet_quarantined",
    "senconet_outbox_oldest_seconds",
    "senconet_figures_identity_difference",
}


def taken(targets: dict[str, Target], folder: Path) -> bool:
    """Whether Prometheus takes all expressions."""
    rules = folder / "rules.yml"
    rules.write_text(yaml.safe_dump(dashboards.rules_of(targets)))
    command = (promtool.default_path(), "check", "rules", rules)
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0


def test_each_query_of_the_dashboard_names_what_the_services_tell() -> None:
    assert {name: found for name, target in targets_of(DASHBOARD).items() if (found := not_told(target))} == {}


def test_a_query_of_a_metric_or_label_that_no_service_tells_is_found() -> None:
    found = {name: not_told(target) for name, target in targets_of(SAMPLES / "dashboard.json").items()}
    assert found == {
        "Renamed A": {"senconet_waiting"},
        "Label A": {"partner"},
        "Legend A": {"service"},
        "Others A": set(),
        "Others B": {"nothing"},
        "Broken A": set(),
    }


def test_prometheus_takes_each_query_of_the_dashboard(tmp_path: Path) -> None:
    assert taken(targets_of(DASHBOARD), tmp_path)


def test_a_query_that_prometheus_does_not_take_is_found(tmp_path: Path) -> None:
    assert not taken(targets_of(SAMPLES / "dashboard.json"), tmp_path)


def test_the_dashboard_shows_what_waits_what_is_answered_and_whether_figures_agree() -> None:
    shown = set().union(*(alerts.metrics_in(target["expr"]) for target in targets_of(DASHBOARD).values()))
    assert shown >= NEEDED


def test_each_panel_asks_the_datasource_that_is_provisioned() -> None:
    (source,) = alerts.read(PROVISIONING / "datasources" / "prometheus.yml")["datasources"]
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    asked = [part["datasource"] for panel in panels for part in (panel, *panel["targets"])]
    assert {(each["type"], each["uid"]) for each in asked} == {(source["type"], source["uid"])}
    assert len({panel["id"] for panel in panels}) == len(panels)
