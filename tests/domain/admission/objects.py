"""Valid minimal objects, one for each kind, to change in one place and look at."""

from __future__ import annotations

import copy
from typing import Any

from sluice.api.kinds import API_VERSION

DIGEST = f"sha256:{'0' * 64}"

SPECS: dict[str, dict[str, Any]] = {
    "Workflow": {
        "owner": "ana@example.com",
        "definition": {"steps": [{"name": "greet", "action": {"python": {"code": "output = 1"}}}]},
    },
    "WorkflowVersion": {
        "workflow": "hello",
        "workflowUid": "u1",
        "number": 3,
        "digest": DIGEST,
        "draftDigest": DIGEST,
        "level": 1,
        "definition": {"steps": [{"name": "greet"}]},
        "publishedBy": "ana",
        "publishedAt": "2026-01-01T00:00:00Z",
    },
    "Rollout": {"percent": 25},
    "Environment": {"type": "Sandbox"},
    "EnvironmentState": {"state": "Active"},
    "WorkflowRun": {"input": {"workflow": "hello", "environment": "sandbox", "payload": {"n": 1}}},
    "Approval": {"subject": {"version": "hello-v3"}, "approvers": {"groups": ["leads"]}, "payload": {"text": "hi"}},
}

NAMES = {
    "Workflow": "hello",
    "WorkflowVersion": "hello-v3",
    "Rollout": "hello",
    "Environment": "sandbox",
    "EnvironmentState": "hello.sandbox",
    "WorkflowRun": "hello-x7k2p",
    "Approval": "hello-v3",
}

PIN = {
    "version": "hello-v3",
    "number": 3,
    "digest": DIGEST,
    "environment": "sandbox",
    "at": "2026-01-01T00:00:00Z",
}


def an(kind: str, *, name: str = "", **spec: Any) -> dict[str, Any]:
    """An object of ``kind`` with these fields of spec set; None takes a field out."""
    merged = copy.deepcopy(SPECS[kind]) | spec
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name or NAMES[kind], "namespace": "default"},
        "spec": {field: value for field, value in merged.items() if value is not None},
    }


def a_workflow(*steps: dict[str, Any], **definition: Any) -> dict[str, Any]:
    """A workflow of these steps; ``definition`` adds to or (None) takes from its definition."""
    merged = {"steps": list(steps), **definition}
    return an("Workflow", definition={field: value for field, value in merged.items() if value is not None})
