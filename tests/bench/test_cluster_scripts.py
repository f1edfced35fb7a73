"""The scripts that measure on a cluster: they import, count requests as the API server does, and set like against like."""

from __future__ import annotations

import importlib

import pytest
from bench.apiserver import Tally, requests_in
from bench.cluster import table
from bench.cluster_argo import workflow
from bench.cluster_site import spent

METRICS = """\
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",group="sluice.dev",resource="workflowruns",subresource="status",verb="PUT"} 30
apiserver_request_total{code="409",group="sluice.dev",resource="workflowruns",subresource="status",verb="PUT"} 2
apiserver_request_total{code="201",group="batch",resource="jobs",subresource="",verb="POST"} 20
apiserver_request_total{code="200",group="batch",resource="jobs",subresource="",verb="WATCH"} 7
apiserver_request_total{code="200",group="",resource="",subresource="/readyz",verb="GET"} 9
apiserver_request_duration_seconds_count{resource="jobs",verb="POST"} 20
"""


@pytest.mark.parametrize("name", ["apiserver", "arrivals", "cluster", "cluster_argo", "cluster_idle", "cluster_sluice"])
def test_a_script_imports(name: str) -> None:
    assert importlib.import_module(f"bench.{name}").__doc__


def test_requests_are_counted_by_verb_and_resource_whatever_the_answer() -> None:
    assert requests_in(METRICS) == {"PUT workflowruns/status": 32, "POST jobs": 20}


def test_what_was_spent_is_told_for_each_run() -> None:
    before = Tally(requests_in(METRICS), {"etcd": 1.0})
    after = Tally(requests_in(METRICS.replace("} 20", "} 40")), {"etcd": 1.2})
    told = spent(before, after, 10)
    assert told == {"ms": {"etcd": 20.0}, "requests": {"POST jobs": 2.0}, "requests_all": 2.0}


def test_ratios_are_taken_within_a_round() -> None:
    def one(per_minute: float, whole: float) -> dict[str, object]:
        ms = {"kube-apiserver": 1.0, "controller": 1.0}
        return {"per_minute": per_minute, "whole": whole, "ms": ms, "megabytes": 1.0, "requests_all": 1.0, "load": 1.0}

    found = {"one step, Jobs": [one(200, 50), one(30, 60)], "Argo, one step": [one(100, 100), one(10, 60)]}
    row = table(found).splitlines()[2]
    assert row.endswith("| 2.50 (2.00 to 3.00) | 1.50 (1.00 to 2.00) |")


@pytest.mark.parametrize(("steps", "entry"), [(1, "work"), (3, "main")])
def test_argo_is_given_the_same_work(steps: int, entry: str) -> None:
    spec = workflow("w", "n", steps)["spec"]
    assert spec["entrypoint"] == entry
    groups = next((template["steps"] for template in spec["templates"] if "steps" in template), [[{"template": entry}]])
    assert sum(len(group) for group in groups) == steps
