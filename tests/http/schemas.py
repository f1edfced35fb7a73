"""A schema and columns for workflows, small enough to read, wide enough for every path of the protocol."""

from __future__ import annotations

from sluice.api.kinds import ENVIRONMENT, WORKFLOW, WORKFLOW_RUN
from sluice.http.kubernetes.catalog import Catalog

OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
CONDITION = {
    "type": "object",
    "description": "One fact about the object.",
    "properties": {
        "type": {"type": "string", "description": "The name of the fact."},
        "status": {"type": "string"},
        "reason": {"type": "string"},
    },
}
STEP = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "Unique within the definition."},
        "retry": {"type": "object", "properties": {"limit": {"type": "integer"}}},
        "data": OPEN,
    },
}
WORKFLOW_SCHEMA = {
    "type": "object",
    "description": "A workflow: what runs, and in which versions.",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "description": "What is wanted.",
            "properties": {
                "displayName": {"type": "string", "description": "Shown to people."},
                "owner": {"type": "string", "description": "E-mail address of who answers for it."},
                "tags": {"type": "array", "items": {"type": "string"}},
                "suspend": {"type": "boolean"},
                "definition": {
                    "type": "object",
                    "description": "The draft.",
                    "properties": {
                        "context": OPEN,
                        "steps": {
                            "type": "array",
                            "items": STEP,
                            "x-kubernetes-list-type": "map",
                            "x-kubernetes-list-map-keys": ["name"],
                        },
                    },
                },
            },
        },
        "status": {
            "type": "object",
            "properties": {
                "phase": {"type": "string"},
                "runs": {"type": "integer"},
                "conditions": {"type": "array", "items": CONDITION},
            },
        },
    },
}
FREE_SCHEMA = {"type": "object", "properties": {"spec": OPEN, "status": OPEN}}
WORKFLOW_COLUMNS = [
    {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Owner", "type": "string", "jsonPath": ".spec.owner", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def catalog() -> Catalog:
    return Catalog(
        schemas={WORKFLOW: WORKFLOW_SCHEMA, WORKFLOW_RUN: FREE_SCHEMA, ENVIRONMENT: FREE_SCHEMA},
        columns={WORKFLOW: WORKFLOW_COLUMNS},
    )


def namespace(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def workflow(
    name: str, *, namespace: str = "default", owner: str = "ana@example.com", **metadata: object
) -> dict[str, object]:
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"owner": owner, "definition": {"steps": [{"name": "start"}]}},
    }
