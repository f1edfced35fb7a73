"""The CustomResourceDefinitions, one for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from sluice.api.approval import Approval
from sluice.api.environment import Environment
from sluice.api.environmentstate import EnvironmentState
from sluice.api.kinds import CATEGORY, GROUP, SLUICE_KINDS, VERSION, KindInfo
from sluice.api.rollout import Rollout
from sluice.api.workflow import Workflow
from sluice.api.workflowrun import WorkflowRun
from sluice.api.workflowversion import WorkflowVersion
from sluice.crds.columns import PRINTER_COLUMNS
from sluice.crds.schema import Schema, structural_schema

Manifest = dict[str, Any]

MODELS: Mapping[str, type[BaseModel]] = {
    model.__name__: model
    for model in (Workflow, WorkflowVersion, Rollout, Environment, EnvironmentState, WorkflowRun, Approval)
}

NAME_BOUNDS: Mapping[str, int] = {
    "Workflow": 40,
    "WorkflowVersion": 52,
    "Rollout": 40,
    "Environment": 63,
    "EnvironmentState": 104,
    "WorkflowRun": 253,
    "Approval": 253,
}
"""Characters of ``metadata.name``: a workflow's 40, and what is made of it (``-v`` and nine digits; ``.`` and 63)."""


@cache
def schema_of(kind: KindInfo) -> Schema:
    """The structural schema of a kind, its name bounded. One for all: nobody may change it."""
    schema = structural_schema(MODELS[kind.kind])
    name = {"type": "string", "maxLength": NAME_BOUNDS[kind.kind]}
    schema["properties"]["metadata"] = {"type": "object", "properties": {"name": name}}
    return schema


def definition_of(kind: KindInfo) -> Manifest:
    """The CustomResourceDefinition of one kind."""
    version: Manifest = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": list(PRINTER_COLUMNS[kind.kind]),
        "schema": {"openAPIV3Schema": schema_of(kind)},
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": f".{path}"} for path in kind.selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.resource, "labels": {"app.kubernetes.io/part-of": "sluice"}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": list(kind.short_names),
                "categories": [CATEGORY],
            },
            "versions": [version],
        },
    }


def definitions() -> dict[str, Manifest]:
    """All of them, by file name."""
    return {f"{GROUP}_{kind.plural}.yaml": definition_of(kind) for kind in SLUICE_KINDS}
