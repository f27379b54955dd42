"""Reading the alert rules and their tests: what they name, and what of it is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from services.reporting.identities import ReportingMetrics
from services.reporting.web import HttpMetrics
from tests.architecture.source import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
SAMPLES = Path(__file__).parent / "bad_samples"
OF_PROMETHEUS = {"job", "instance"}
"""The labels that Prometheus gives to what it scrapes."""

_METRIC = re.compile(r"\b(?:senconet_\w+|up)\b")
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_SHOWN = re.compile(r"\$labels\.(\w+)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)

Alert = Mapping[str, Any]


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


def alerts_of(path: Path) -> list[Alert]:
    """The alerts of a rules file."""
    return [rule for group in read(path)["groups"] for rule in group["rules"]]


def exposed() -> dict[str, set[str]]:
    """The labels of each sample that a process of ours tells, by its name; Prometheus tells `up` of each."""
    metrics = [*vars(ReportingMetrics()).values(), *vars(HttpMetrics()).values()]
    return {"up": set()} | {
        f"{family.name}{suffix}": set(metric._labelnames)
        for metric in metrics
        if hasattr(metric, "_labelnames")
        for family in metric.collect()
        for suffix in {"counter": ("_total",), "histogram": ("_count", "_sum", "_bucket")}.get(family.type, ("",))
    }


def metrics_in(text: str) -> set[str]:
    """The metrics that an expression or a sentence names."""
    return set(_METRIC.findall(text))


def labels_of(expression: str) -> set[str]:
    """The labels that an expression selects or groups by."""
    grouped = {name.strip() for names in _GROUPED.findall(expression) for name in names.split(",")}
    return grouped | set(_MATCHED.findall(expression))


def labels_in(alert: Alert) -> set[str]:
    """The labels that an alert selects, groups by or shows."""
    return labels_of(alert["expr"]) | set(_SHOWN.findall(" ".join(alert["annotations"].values())))


def not_told(alert: Alert) -> set[str]:
    """The metrics and labels that an alert names and no process tells."""
    known = exposed()
    named = metrics_in(alert["expr"] + " ".join(alert["annotations"].values()))
    labels = OF_PROMETHEUS.union(*(known.get(name, set()) for name in metrics_in(alert["expr"])))
    return (named - known.keys()) | (labels_in(alert) - labels)


def series_not_told(tests: Mapping[str, Any]) -> list[str]:
    """The series of promtool's tests that are not as a process would tell them, by name and labels."""
    known, found = exposed(), []
    for series in (each["series"] for test in tests["tests"] for each in test["input_series"]):
        name, _, labels = series.partition("{")
        if name not in known or set(_MATCHED.findall(labels)) != known[name] | OF_PROMETHEUS:
            found.append(series)
    return found


def unproven(alerts: Iterable[Alert], tests: Mapping[str, Any]) -> set[str]:
    """Which alerts have no test in which they fire, or none in which their own series leave them quiet throughout."""
    lacking = set()
    for alert in alerts:
        name, fires, rests = alert["alert"], False, False
        for test in tests["tests"]:
            asked = [case["exp_alerts"] for case in test["alert_rule_test"] if case["alertname"] == name]
            own = metrics_in(alert["expr"]) & metrics_in(" ".join(s["series"] for s in test["input_series"]))
            fires |= any(asked)
            rests |= bool(asked and own and not any(asked))
        lacking |= set() if fires else {f"{name} fires"}
        lacking |= set() if rests else {f"{name} is quiet"}
    return lacking


def leads_nowhere(alert: Alert) -> bool:
    """Whether the runbook has no section to which an alert leads."""
    page, _, section = alert["annotations"]["runbook_url"].partition("#")
    if not (ROOT / page).is_file():
        return True
    headings = _HEADING.findall((ROOT / page).read_text("utf-8"))
    return section not in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
