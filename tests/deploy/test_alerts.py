"""The alerts: each fires when it should and rests when it should, by what the services really tell."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from senconet.cli.system import ALERT_RULES
from senconet.local import promtool
from tests.architecture.source import ROOT
from tests.deploy import alerts
from tests.deploy.alerts import FOLDER, SAMPLES

RULES = FOLDER / "alerts.yml"
TESTS = FOLDER / "alerts_test.yml"
ALERTS = alerts.alerts_of(RULES)
SAMPLE = {alert["alert"]: alert for alert in alerts.alerts_of(SAMPLES / "alerts.yml")}


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool, which `make test` installs."""
    program = promtool.default_path()
    assert program.exists(), f"{program.name} is missing: run `make test`"
    return subprocess.run((program, *words), capture_output=True, text=True, timeout=120)


def test_prometheus_takes_the_rules() -> None:
    assert run("check", "rules", RULES).returncode == 0


def test_the_nine_alerts_are_there() -> None:
    of_records = ["SilentPartner", "ServiceDown", "Behind", "PausedPartitions", "SweepFails", "OldestHold"]
    assert [alert["alert"] for alert in ALERTS] == [*of_records, "Quarantine", "OldestOutboxRow", "FiguresIdentity"]
    assert {alert["labels"]["severity"] for alert in ALERTS} == {"critical", "warning"}


def test_each_alert_fires_on_its_series_and_rests_on_others() -> None:
    outcome = run("test", "rules", TESTS)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("expression", ["vector(0) > 0", "vector(1) > 0"], ids=["never", "always"])
def test_an_alert_that_never_or_always_fires_fails_its_tests(tmp_path: Path, expression: str) -> None:
    rules: Any = alerts.read(RULES)
    for rule in rules["groups"][0]["rules"]:
        rule["expr"] = expression
    (tmp_path / RULES.name).write_text(yaml.safe_dump(rules))
    (tmp_path / TESTS.name).write_text(TESTS.read_text("utf-8"))
    outcome = run("test", "rules", tmp_path / TESTS.name)
    assert outcome.returncode != 0
    told = outcome.stdout + outcome.stderr
    assert {alert["alert"] for alert in ALERTS if f"alertname: {alert['alert']}," not in told} == set()


def test_every_alert_has_a_series_that_fires_it_and_one_that_does_not() -> None:
    assert alerts.unproven(ALERTS, alerts.read(TESTS)) == set()


def test_an_alert_without_a_firing_or_a_quiet_series_is_found() -> None:
    tests = alerts.read(SAMPLES / "alerts_test.yml")
    asked = {case["alertname"] for test in tests["tests"] for case in test["alert_rule_test"]}
    missing = {"Behind fires", "Quarantine is quiet", "OldestHold is quiet"}
    assert alerts.unproven([alert for alert in ALERTS if alert["alert"] in asked], tests) == missing


def test_rules_and_their_tests_name_what_the_services_tell() -> None:
    assert {alert["alert"]: found for alert in ALERTS if (found := alerts.not_told(alert))} == {}
    assert alerts.series_not_told(alerts.read(TESTS)) == []


def test_a_metric_or_label_that_no_service_tells_is_found() -> None:
    assert alerts.not_told(SAMPLE["Renamed"]) == {"senconet_waiting"}
    assert alerts.not_told(SAMPLE["Advice"]) == {"senconet_batch_failures"}
    assert alerts.not_told(SAMPLE["Labels"]) == {"partner", "queue", "service"}
    told = alerts.series_not_told(alerts.read(SAMPLES / "alerts_test.yml"))
    assert told == [
        'senconet_quarantined{partner="ashdown", job="enrolment", instance="a"}',
        'senconet_waiting{job="enrolment", instance="a"}',
    ]


def test_every_alert_leads_to_its_section_of_the_runbook() -> None:
    assert [alert["alert"] for alert in ALERTS if alerts.leads_nowhere(alert)] == []


def test_a_link_to_no_section_of_the_runbook_is_found() -> None:
    assert [name for name, alert in SAMPLE.items() if alerts.leads_nowhere(alert)] == ["Advice", "Labels"]


def test_the_rules_lie_where_an_operator_is_told_they_are() -> None:
    assert ROOT / ALERT_RULES == RULES
