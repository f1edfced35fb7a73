"""The controller's record of runs, asked by way of the API server; and what is told without it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli.records import NAMESPACE_VARIABLE, TOKEN_HINT, TOKEN_VARIABLE
from sluice.http.history import RUNS
from sluice.http.kubernetes.answers import refusal
from sluice.http.kubernetes.errors import refusal_of, unauthorized
from sluice.http.server import RouteGroup
from sluice.ports.errors import NotFound
from tests.cli.cluster_place import ClusterPlace, require_reachable
from tests.cli.kubelet import address_of_this_machine, make_pod, report_pod
from tests.cli.place import ANA, AT, environment, manifest, workflow
from tests.cli.test_following import RECORD
from tests.contracts.store.builders import eventually
from tests.http.certificates import make_certificate
from tests.http.live import running

pytestmark = pytest.mark.cluster

CANNOT = "the controller's record can't be asked: "


@pytest.fixture
def place(cluster: ClusterPlace) -> ClusterPlace:
    """A workflow with a run that failed."""
    cluster.make(workflow(), environment())
    given = {"workflow": "support", "environment": "production", "actor": ANA}
    cluster.make(manifest("WorkflowRun", "support-1", {"input": given}))
    failure = {"step": "hello", "reason": "CodeFailed", "message": "no", "attempt": 1}
    known = {"version": "v2", "startedAt": AT, "duration": "3s", "counts": {"total": 1, "failed": 1}}
    cluster.report(WORKFLOW_RUN, "support-1", phase="Failed", failure=failure, **known)
    return cluster


def offering(place: ClusterPlace) -> RouteGroup:
    """The controller's history, for whoever shows the token."""

    def guarded(answering: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            assert "authorization" not in request.headers, "API servers keep credentials to themselves"
            assert request.path_params["namespace"] == place.namespace
            if request.headers.get("sluice-authorization") != "Bearer sesame":
                return refusal(unauthorized())
            if request.path_params.get("name", "gone") != "gone":
                name = request.path_params["name"]
                return refusal(refusal_of(NotFound(f'no run "{name}"'), WORKFLOW_RUN, name))
            return answering(request)

        return endpoint

    return RouteGroup(
        [
            Route("/api/sluice/v1/namespaces/{namespace}/runs", guarded(lambda _: JSONResponse({"runs": [RECORD]}))),
            Route(f"{RUNS}/report", guarded(lambda _: JSONResponse({"success": False, "context": {"seen": 1}}))),
            Route(f"{RUNS}/log", guarded(lambda request: PlainTextResponse(f"log?{request.url.query}\n"))),
        ]
    )


@pytest.fixture
def controller(place: ClusterPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterPlace]:
    """A controller behind its service, as far as it answers questions."""
    require_reachable(place.plane)
    monkeypatch.setenv(NAMESPACE_VARIABLE, place.namespace)
    address = address_of_this_machine()
    tls = make_certificate(tmp_path, f"IP:{address}")
    with running([offering(place)], host="0.0.0.0", tls=tls) as server:
        make_pod(place, "sluice-controller-0", {})
        report_pod(place, "sluice-controller-0", phase="Running", podIP=address, podIPs=[{"ip": address}])
        pod = {"kind": "Pod", "name": "sluice-controller-0", "namespace": place.namespace}
        ports = [{"name": "https", "port": server.port}]
        service = {"ports": [{"name": "https", "port": 8443, "targetPort": server.port}]}
        for obj in (
            {"kind": "Service", "spec": service},
            {"kind": "Endpoints", "subsets": [{"addresses": [{"ip": address, "targetRef": pod}], "ports": ports}]},
        ):
            made = {"apiVersion": "v1", "metadata": {"name": "sluice-controller", "namespace": place.namespace}, **obj}
            place.kubectl("create", "-f", "-", stdin=json.dumps(made))
        yield place


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user has a token for Sluice."""
    monkeypatch.setenv(TOKEN_VARIABLE, "sesame")


def test_without_the_controller_the_objects_are_listed_and_it_is_said(place: ClusterPlace) -> None:
    result = place.sluice("runs", "support")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()][1:] == [
        ["support-1", "production", "v2", "Failed", AT, "3s", ANA]
    ]
    where = "there is no service sluice-controller in the namespace sluice-system"
    why = f"{where}; if it is in another one, set {NAMESPACE_VARIABLE}"
    assert result.stderr == f"only runs whose objects are kept; {CANNOT}{why}\n"
    assert place.sluice("runs", "support", "-o", "name").stdout == "workflowrun.sluice.dev/support-1\n"


def test_without_the_controller_a_report_is_what_the_status_tells(place: ClusterPlace) -> None:
    """R133, as far as objects go."""
    result = place.sluice("report", "support-1")
    told = yaml.safe_load(result.stdout)
    assert (told["success"], told["phase"], told["failure"]["message"]) == (False, "Failed", "no")
    assert (told["run"]["workflow"], told["run"]["version"], told["counts"]["failed"]) == ("support", "v2", 1)
    assert result.stderr.startswith("only what the run's status tells, without context and what its steps gave; ")
    assert len(result.stderr.splitlines()) == 1


def test_a_report_of_what_is_not_kept_needs_the_controller(place: ClusterPlace) -> None:
    result = place.sluice("report", "gone")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: there is no report of gone: its object is not kept; {CANNOT}")


@pytest.mark.usefixtures("shown")
def test_whoever_is_known_there_reads_the_whole_record(controller: ClusterPlace) -> None:
    runs = controller.sluice("runs", "support")
    assert (runs.exit_code, runs.stderr) == (0, "")
    assert runs.stdout.splitlines()[1].split()[:5] == ["support-1", "production", "v2", "Failed", "CodeFailed"]
    report = controller.sluice("report", "gone", "-o", "json")
    assert (json.loads(report.stdout), report.stderr) == ({"success": False, "context": {"seen": 1}}, "")
    log = controller.sluice("logs", "gone", "--step", "hello", "--tail", "2")
    assert (log.exit_code, log.stdout, log.stderr) == (0, "log?step=hello&tail=2\n", "")


@pytest.mark.usefixtures("shown")
def test_what_the_record_does_not_know_is_said_in_its_words(controller: ClusterPlace) -> None:
    result = controller.sluice("report", "support-1")
    assert (result.exit_code, result.stderr) == (1, 'error: there is no report of support-1: no run "support-1"\n')


@pytest.mark.parametrize(("token", "why"), [("", TOKEN_HINT), ("guessed", f"it does not accept {TOKEN_VARIABLE}")])
def test_a_token_is_shown_only_if_it_was_given_and_refused_if_nobody_knows_it(
    controller: ClusterPlace, monkeypatch: pytest.MonkeyPatch, token: str, why: str
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    result = controller.sluice("runs", "support")
    assert (result.exit_code, result.stderr) == (0, f"only runs whose objects are kept; {CANNOT}{why}\n")


@pytest.mark.usefixtures("shown")
def test_a_controller_that_is_away_is_said_to_be(controller: ClusterPlace) -> None:
    controller.kubectl(
        "patch", "endpoints", "sluice-controller", f"--namespace={controller.namespace}", "-p", '{"subsets": []}'
    )

    def is_said() -> bool:
        return "no endpoints available for service" in controller.sluice("runs", "support").stderr

    eventually(is_said, "the service leads nowhere")


@pytest.mark.usefixtures("shown")
def test_whoever_may_not_use_the_proxy_is_told_which_right_is_missing(controller: ClusterPlace) -> None:
    with controller.acting_as("workflows", "workflowruns") as where:
        result = controller.sluice("runs", "support", where=where)
    assert (result.exit_code, result.stdout.splitlines()[1].split()[0]) == (0, "support-1")
    assert 'cannot get resource "services/proxy" in API group ""' in result.stderr
