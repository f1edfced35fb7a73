from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli.runs import object_row, record_row
from sluice.http.kubernetes.discovery import version as server_version
from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig
from sluice.http.server import RouteGroup
from sluice.ports.store import Obj
from tests.cli.place import ANA, AT, Place, call, manifest, workflow
from tests.http.live import running

RUNS = "/apis/sluice.dev/v1alpha1/namespaces/default/workflowruns"
RECORD = {
    "name": "support-1",
    "environment": "production",
    "version": "v2",
    "phase": "Failed",
    "reason": "CodeFailed",
    "startedAt": AT,
    "endedAt": "2026-01-31T08:01:30Z",
    "trigger": "manual",
    "actor": ANA,
    "replayOf": "support-0",
}


def run(name: str = "support-1", **given: object) -> Obj:
    return manifest("WorkflowRun", name, {"input": {"workflow": "support", "environment": "production", **given}})


def serving(*routes: Route) -> RouteGroup:
    return RouteGroup(list(routes))


@pytest.fixture
def ledger(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A server that only knows what the ledger keeps; gives the queries that it was asked."""
    asked: list[str] = []

    def noting(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            asked.append(f"{request.url.path.rpartition('/')[2]}?{request.url.query}")
            return answer(request)

        return endpoint

    workflows = "/apis/sluice.dev/v1alpha1/namespaces/default/workflows/support"
    group = serving(
        Route("/version", lambda _: JSONResponse(server_version())),
        Route(workflows, lambda _: JSONResponse(workflow())),
        Route("/api/sluice/v1/namespaces/default/runs", noting(lambda _: JSONResponse({"runs": [RECORD]}))),
        Route(
            f"{RUNS}/support-1/report", noting(lambda _: JSONResponse({"success": False, "errors": [{"step": "a"}]}))
        ),
        Route(f"{RUNS}/support-1/log", noting(lambda _: PlainTextResponse("one\ntwo\n"))),
        Route(f"{RUNS}/support-1", lambda _: JSONResponse({**run(), "status": {"phase": "Failed"}})),
    )
    path = tmp_path_factory.mktemp("ledger") / "kubeconfig"
    with running([group]) as live:
        write_kubeconfig(path, Connection(live.url))
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield asked


def test_watching_prints_each_change_and_ends_with_the_run(place: Place) -> None:
    place.make(run())
    place.report(WORKFLOW_RUN, "support-1", phase="Running", version="v1", step="hello")
    command = [str(Path(sys.executable).with_name("sluice")), "watch", "support-1", "--timeout", "20s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == "support-1: Running, v1, step hello\n"
        place.report(WORKFLOW_RUN, "support-1", phase="Succeeded", step=None, duration="3s")
        assert watching.stdout.read() == "support-1: Succeeded, v1 after 3s\n"
    assert watching.returncode == 0


def test_watching_a_failed_run_fails(place: Place) -> None:
    place.make(run())
    place.report(WORKFLOW_RUN, "support-1", phase="Failed", failure={"reason": "CodeFailed", "message": "no"})
    result = call("watch", "support-1", "-o", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["status"]["phase"] == "Failed"
    assert call("watch", "support-1").stdout == "support-1: Failed (CodeFailed: no)\n"


def test_watching_what_is_not_there_fails(place: Place) -> None:
    assert call("watch", "nope").stderr == 'error: workflowruns.sluice.dev "nope" not found\n'


def test_watching_no_longer_than_said(place: Place) -> None:
    place.make(run())
    result = call("watch", "support-1", "--timeout", "1ms")
    assert (result.exit_code, result.stderr) == (1, "error: support-1 did not end within 1ms; it goes on\n")


def test_history_comes_from_the_record_of_all_runs(ledger: list[str]) -> None:
    result = call("runs", "support", "--env", "production", "--limit", "5")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["NAME", "ENV", "VERSION", "PHASE", "REASON", "STARTED", "DURATION", "TRIGGER", "ACTOR", "REPLAY", "OF"],
        ["support-1", "production", "v2", "Failed", "CodeFailed", AT, "1m30s", "manual", ANA, "support-0"],
    ]
    assert ledger == ["runs?workflow=support&limit=5&environment=production"]


def test_without_such_a_record_the_kept_objects_are_listed(place: Place) -> None:
    place.make(workflow(), run(actor=ANA), run("other-1", workflow="other"))
    place.report(WORKFLOW_RUN, "support-1", phase="Running", version="v1", startedAt=AT)
    lines = [line.split() for line in call("runs", "support").stdout.splitlines()]
    assert lines[1:] == [["support-1", "production", "v1", "Running", AT, ANA]]


def test_runs_as_names_are_the_objects(place: Place) -> None:
    place.make(workflow(), run(), run("support-2", environment="sandbox"))
    assert call("runs", "support", "--env", "sandbox", "-o", "name").stdout == "workflowrun.sluice.dev/support-2\n"


def test_rows_of_runs_that_have_not_begun_are_empty_there() -> None:
    assert record_row({"name": "a", "startedAt": None, "endedAt": None})[1:] == [""] * 9
    assert object_row(run())[:5] == ["support-1", "production", "", "Pending", ""]


def test_the_report_is_printed_as_yaml_or_json(ledger: list[str]) -> None:
    """R133, R135."""
    assert call("report", "support-1").stdout == "success: false\nerrors:\n- step: a\n"
    assert json.loads(call("report", "support-1", "-o", "json").stdout)["success"] is False


def test_a_report_that_is_not_there_says_so(place: Place) -> None:
    place.make(run())
    result = call("report", "support-1")
    assert (result.exit_code, "there is no report of support-1" in result.stderr) == (1, True)


def test_logs_print_what_the_server_has_and_nothing_else(ledger: list[str]) -> None:
    assert call("logs", "support-1", "--step", "hello", "--tail", "2").stdout == "one\ntwo\n"
    assert ledger == ["log?step=hello&tail=2"]


def test_following_prints_everything_once_until_the_run_ended(ledger: list[str]) -> None:
    assert call("logs", "support-1", "--follow").stdout == "one\ntwo\n"
    assert call("logs", "support-1", "-f", "--tail", "2").exit_code == 2
