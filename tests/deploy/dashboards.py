"""Reading dashboards: the queries in them, and what of those no process tells."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.architecture.source import ROOT
from tests.deploy import alerts

DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "network.json"
OF_PROMETHEUS = {"up": set[str](), "ALERTS": {"alertname", "alertstate", "severity"}}
"""The series that Prometheus makes itself, with their labels."""

_METRIC = re.compile(rf"\b(?:senconet_\w+|{'|'.join(OF_PROMETHEUS)})\b")
_SHOWN = re.compile(r"{{\s*(\w+)\s*}}")

Target = Mapping[str, Any]


def targets_of(path: Path) -> dict[str, Target]:
    """The queries of a dashboard with their legends, by the panel's title and the query's letter."""
    panels = json.loads(path.read_text("utf-8"))["panels"]
    return {f"{panel['title']} {target['refId']}": target for panel in panels for target in panel["targets"]}


def not_told(target: Target) -> set[str]:
    """The metrics and labels that a query or its legend names, and nothing tells; "nothing" if it names no metric."""
    known = alerts.exposed() | OF_PROMETHEUS
    metrics = set(_METRIC.findall(target["expr"]))
    labels = alerts.OF_PROMETHEUS.union({"le"}, *(known.get(name, set()) for name in metrics))
    named = alerts.labels_of(target["expr"]) | set(_SHOWN.findall(target["legendFormat"]))
    return (metrics - known.keys() or (set() if metrics else {"nothing"})) | (named - labels)


def rules_of(targets: Mapping[str, Target]) -> dict[str, Any]:
    """Recording rules of the same expressions, so that promtool says which it does not take."""
    rules = [{"record": f"panel:{number}", "expr": target["expr"]} for number, target in enumerate(targets.values())]
    return {"groups": [{"name": "dashboard", "rules": rules}]}
