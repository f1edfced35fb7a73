"""A wait with real processes: the runner closes the segment, the controller launches the next one when it is due."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sluice.adapters.local.launcher import LocalLauncher
from sluice.api import kinds
from sluice.bootstrap import embedded
from sluice.bootstrap.embedded import Embedded, Settings
from sluice.ports.launcher import SegmentSink


def declared() -> dict[str, Any]:
    step = {
        "name": "call",
        "when": "${ true }",
        "action": {"http": {"url": "http://127.0.0.1:9/", "method": "GET"}},
        "retry": {"limit": 1, "backoff": {"duration": "1s", "factor": 1, "max": "1s"}},
    }
    return {"owner": "ana@example.com", "definition": {"steps": [step]}}


def test_a_pause_longer_than_the_runner_keeps_is_waited_for_by_the_controller(tmp_path: Path, monkeypatch: Any) -> None:
    def impatient(settings: Settings) -> Any:
        def made(sink: SegmentSink) -> LocalLauncher:
            return LocalLauncher(sink, scratch=tmp_path, keep=0.0)

        return made

    monkeypatch.setattr(embedded, "_launcher", impatient)
    program = Embedded(Settings(tmp_path / "data"))
    program.start()
    try:
        phases = run_to_its_end(program)
    finally:
        program.stop()

    assert "Waiting" in phases
    assert phases[-1] == "Failed"


def run_to_its_end(program: Embedded) -> list[str]:
    """The phases that its status went through."""
    program.ensure_environment("default")
    header = {"apiVersion": kinds.API_VERSION, "metadata": {"name": "flaky", "namespace": "default"}}
    program.store.create({**header, "kind": "Workflow", "spec": declared()})
    watch = program.store.watch(kinds.WORKFLOW_RUN, "default")
    given = {"input": {"workflow": "flaky", "environment": "local"}}
    program.store.create({**header, "kind": "WorkflowRun", "spec": given})
    phases: list[str] = []
    for event in watch:
        status = event.object.get("status", {})
        if status.get("phase") and (not phases or phases[-1] != status["phase"]):
            phases.append(status["phase"])
        if phases and phases[-1] in ("Failed", "Succeeded", "Error", "Rejected"):
            assert status["failure"]["attempt"] == 2, status
            break
    watch.close()
    return phases
