"""What the documentation says of metrics is what the controller tells: its table, its alerts and its dashboard."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from sluice.adapters.kubernetes.launching.seats import Claim
from sluice.api.environment import Launch
from sluice.domain.launching.placement import Placement, RemoteCluster
from sluice.ports.launcher import LaunchRefused
from tests.bootstrap.exposed import exposed, parts
from tests.docs.blocks import ROOT
from tests.simulation.embedded import Simulation

DOCS = ROOT / "docs"
TABLE = (DOCS / "operating.md").read_text().partition("## Metrics")[2].partition("\n## ")[0]
DASHBOARD = json.loads((DOCS / "dashboards" / "sluice.json").read_text())
ALERTS = [
    rule for group in yaml.safe_load((DOCS / "alerts.yaml").read_text())["spec"]["groups"] for rule in group["rules"]
]
EXPRESSIONS = [
    *(pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS),
    *(
        pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    ),
]
METRIC = re.compile(
    r"\b((?:sluice|workqueue|controller_runtime|rest_client|leader_election|process)_\w+)(?:\{([^}]*)\})?"
)
GROUPED = re.compile(r"\bby \(([^)]*)\)")
OF_PROMETHEUS = {"le", "pod"}
"""Labels that a scrape adds, and that of a histogram's buckets."""
ELSEWHERE = Placement(Launch.JOB, "default", "default", "eu", cluster=RemoteCluster("eu-cluster"))
NOT_OURS = ("python_", "process_")
"""Families of the client library; of these the page names what matters."""


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """Labels by the name of a sample, of a controller to which a little of everything has happened."""
    simulation = Simulation()
    made = parts(simulation)
    made.requests.answered("GET", "200", 0.1)
    made.desk.admit(Claim("r", "main", 1), "token")
    with pytest.raises(LaunchRefused):
        made.clusters.usable(ELSEWHERE)
    counts = simulation.system.engine.counts
    for tally in (counts.refused, counts.lost, counts.ended):
        tally.add("x")
    simulation.system.metrics.reconciled("workflow", "done", 0.1)
    labels: dict[str, set[str]] = {}
    for family in exposed(simulation, made).collect():
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    simulation.close()
    return labels


def family_of(sample: str) -> str:
    return re.sub(r"_(bucket|count|sum)$", "", sample) if "seconds_" in sample else sample


def test_the_page_lists_exactly_what_is_told(told: dict[str, set[str]]) -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", TABLE, re.M))
    families = {family_of(name) for name in told}
    ours = {name for name in families if not name.startswith(NOT_OURS)}
    assert ours - listed == set()
    assert listed - families == set()


@pytest.mark.parametrize("row", re.findall(r"^\| `(\w+)` \| ([^|]*) \|", TABLE, re.M), ids=lambda row: row[0])
def test_a_row_names_the_labels(told: dict[str, set[str]], row: tuple[str, str]) -> None:
    name, labels = row
    found = told.get(name) or told[f"{name}_bucket"]
    assert set(re.findall(r"`(\w+)`", labels)) == found - {"le"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_what_is_told(told: dict[str, set[str]], expression: str) -> None:
    metrics = METRIC.findall(expression)
    assert metrics
    known: set[str] = set()
    for name, matchers in metrics:
        assert name in told, f"nothing tells {name}"
        asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        assert asked <= told[name], f"{name} has no {asked - told[name]}"
        known |= told[name]
    for labels in GROUPED.findall(expression):
        wanted = {label.strip() for label in labels.split(",")}
        assert wanted - OF_PROMETHEUS <= known, f"{expression} groups by what is not there"
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_happened_and_is_in_the_page(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"warning", "critical"}
    for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
        assert any(label in labels for labels in GROUPED.findall(rule["expr"])), f"{rule['alert']} loses {label}"
    assert f"`{rule['alert']}`" in TABLE


def test_panels_lie_beside_each_other() -> None:
    taken = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(taken)) == len(taken)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(taken)
