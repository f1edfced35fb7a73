"""`sluice test`: a workflow's own tests, played through by the very functions that run it, its steps mocked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from sluice.cli.failures import FAILED, Wrong
from sluice.cli.manifests import read_manifests
from sluice.cli.verb import LocalVerb, verbs
from sluice.domain.definition.canonical import canonicalize
from sluice.domain.routing.parameters import parameters
from sluice.domain.run.given import RunGiven
from sluice.domain.run.plan import Plan, compile_plan
from sluice.domain.run.simulation import Attempt, Executor, Outcome, Simulation, failed, simulate, succeeded

app = verbs()

NO_MOCK = "NoMock"
STARTED_AT = "2026-01-01T00:00:00Z"
ENVIRONMENT = {"name": "test", "type": "Sandbox", "tier": "Development"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one test ended; nothing in ``problems`` means it passed."""

    workflow: str
    test: str
    problems: tuple[str, ...]


@app.command("test", cls=LocalVerb)
def play(
    path: Annotated[Path, typer.Argument(help="A folder or a file with manifests.", metavar="DIR")] = Path(),
    workflow: Annotated[str, typer.Option("--workflow", "-w", help="Only the tests of this workflow.")] = "",
) -> None:
    """Play a workflow's own tests, its steps mocked, without a server.

    Every step that a test reaches needs an entry in its mocks: the output, or {error: {reason, message}}.
    """
    found = [obj for obj in read_manifests([str(path)]) if obj["kind"] == "Workflow"]
    wanted = [obj for obj in found if workflow in {"", obj["metadata"]["name"]}]
    if not wanted:
        raise Wrong(f"there is no workflow {workflow} in {path}" if workflow else f"there is no workflow in {path}")
    verdicts = [verdict for obj in wanted for verdict in play_tests(obj)]
    for verdict in verdicts:
        typer.echo(f"{'FAILED' if verdict.problems else 'passed'} {verdict.workflow}: {verdict.test}")
        for problem in verdict.problems:
            typer.echo(f"    {problem}")
    broken = sum(bool(verdict.problems) for verdict in verdicts)
    typer.echo(f"{len(verdicts) - broken} passed, {broken} failed")
    if broken:
        raise typer.Exit(FAILED)


def play_tests(workflow: Mapping[str, Any]) -> Iterator[Verdict]:
    """All tests of one workflow, in order."""
    name, spec = workflow["metadata"]["name"], workflow["spec"]
    tests = spec.get("tests") or ()
    if not tests:
        return
    canonical = canonicalize(spec.get("definition") or {})
    plan = compile_plan(canonical)
    for test in tests:
        resolved = parameters(canonical.get("params"), run=test.get("params"))
        if not resolved.usable:
            yield Verdict(name, test["name"], (resolved.message,))
            continue
        played = simulate(plan, _given(name, test, resolved.values), _executor(test.get("mocks") or {}))
        yield Verdict(name, test["name"], tuple(_problems(plan, played, test["expect"])))


def _given(workflow: str, test: Mapping[str, Any], params: Mapping[str, Any]) -> RunGiven:
    run = {
        "id": "wfr_test",
        "name": f"{workflow}-test",
        "workflow": workflow,
        "environment": ENVIRONMENT["name"],
        "version": "v1",
        "startedAt": STARTED_AT,
        "scheduledAt": None,
        "actor": "test",
        "url": "",
    }
    trigger = {"type": "manual", "headers": {}, "query": {}, "receivedAt": STARTED_AT, "commit": ""}
    values = {"payload": test.get("payload"), "params": params, "env": ENVIRONMENT, "run": run, "trigger": trigger}
    return RunGiven.read(values, "test")


def _executor(mocks: Mapping[str, Any]) -> Executor:
    """Answers each attempt from the mocks."""

    def answer(attempt: Attempt) -> Outcome:
        step = attempt.work.step
        if step not in mocks:
            return failed(NO_MOCK, f"the test has no mock for step {step}; add its output under mocks.{step}")
        mock = mocks[step]
        if isinstance(mock, Mapping) and set(mock) == {"error"} and isinstance(mock["error"], Mapping):
            error = mock["error"]
            reason = str(error.get("reason") or "CodeFailed")
            return failed(reason, str(error.get("message") or ""), status=int(error.get("status") or 0))
        return succeeded(mock)

    return answer


def _problems(plan: Plan, played: Simulation, expect: Mapping[str, Any]) -> Iterator[str]:
    """What came out otherwise than expected."""
    body, failure = played.body, played.body.get("failure") or {}
    if not body:
        yield "the run does not end: it waits for somebody outside"
        return
    phases = {name: str(progress.phase) for name, progress in played.state.steps.items() if name in plan.steps}
    told = f" ({failure.get('step')}: {failure.get('reason')}: {failure.get('message')})" if failure else ""
    if "phase" in expect and body["phase"] != expect["phase"]:
        yield f"phase: expected {expect['phase']}, got {body['phase']}{told}"
    for step in expect.get("ran") or ():
        if phases.get(step) not in {"Succeeded", "Failed"}:
            yield f"ran: step {step} did not run, it is {phases.get(step, 'not a step')}"
    for step in expect.get("skipped") or ():
        if phases.get(step) != "Skipped":
            yield f"skipped: step {step} was not skipped, it is {phases.get(step, 'not a step')}"
    outputs = body.get("outputs") or {}
    for name, value in (expect.get("outputs") or {}).items():
        if outputs.get(name) != value:
            yield f"outputs.{name}: expected {value!r}, got {outputs.get(name)!r}"
    for field, key in (("failedStep", "step"), ("reason", "reason")):
        if field in expect and failure.get(key) != expect[field]:
            yield f"{field}: expected {expect[field]}, got {failure.get(key) or 'none'}{told}"
    unmocked = failure.get("reason") == NO_MOCK and expect.get("reason") != NO_MOCK
    if unmocked and body["phase"] == expect.get("phase"):
        yield str(failure.get("message"))
