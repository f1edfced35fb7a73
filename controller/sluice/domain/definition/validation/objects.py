"""Validate any object of Sluice: its shape, its name, and what its fields ask of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from sluice.api.approval import Approval
from sluice.api.environment import Environment, Launch
from sluice.api.environmentstate import EnvironmentState
from sluice.api.fields import ObjectMeta
from sluice.api.kinds import API_VERSION, GROUP, SLUICE_KINDS
from sluice.api.rollout import Rollout
from sluice.api.workflow import Workflow
from sluice.api.workflowrun import WorkflowRun
from sluice.api.workflowversion import WorkflowVersion
from sluice.domain.definition.validation.findings import Code, Finding, did_you_mean, errors, join
from sluice.domain.definition.validation.metadata import check_metadata
from sluice.domain.definition.validation.rollouts import check_rollout
from sluice.domain.definition.validation.shape import check_shape
from sluice.domain.definition.validation.values import check_duration, is_timestamp
from sluice.domain.definition.validation.workflows import check_workflow
from sluice.domain.launching.placement import placement_of
from sluice.domain.launching.security import problems

MODELS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "Workflow": Workflow,
        "WorkflowVersion": WorkflowVersion,
        "Rollout": Rollout,
        "Environment": Environment,
        "EnvironmentState": EnvironmentState,
        "WorkflowRun": WorkflowRun,
        "Approval": Approval,
    }
)
"""The model of each kind."""


def validate_object(obj: Mapping[str, Any], *, files: bool = False) -> list[Finding]:
    """All findings about an object of Sluice's group, ``status`` aside. With ``files`` it comes from a file, where Python
    steps may still name the file of their code."""
    kind = check_kind(obj)
    if kind:
        return [kind]
    found = [*check_metadata_shape(obj)]
    if not found:
        found += check_metadata(obj)
    body = {key: value for key, value in obj.items() if key not in ("metadata", "status")} | {"metadata": {}}
    definition = (obj.get("spec") or {}).get("definition") if isinstance(obj.get("spec"), Mapping) else None
    if obj["kind"] == "Workflow" and definition is not None:
        # A definition has a validator of its own, which bounds it before it looks at its shape.
        body["spec"] = {key: value for key, value in obj["spec"].items() if key != "definition"}
    found += check_shape(MODELS[obj["kind"]], body)
    if errors(found):
        if obj["kind"] == "Workflow" and definition is not None and not any(_in_spec(finding) for finding in found):
            found += _RULES["Workflow"](obj, files)
        return found
    return found + list(_RULES.get(obj["kind"], _nothing)(obj, files))


def _in_spec(finding: Finding) -> bool:
    return finding.field.partition(".")[0].partition("[")[0] == "spec"


def check_kind(obj: Mapping[str, Any]) -> Finding | None:
    """Why this is no object of Sluice at all."""
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    for name, value in (("apiVersion", api_version), ("kind", kind)):
        if not isinstance(value, str) or not value:
            return Finding(
                name, f"is required; write {API_VERSION if name == 'apiVersion' else 'the kind'}", code=Code.MISSING
            )
    if api_version != API_VERSION:
        return Finding("apiVersion", f"{api_version} is not known; write {API_VERSION}", code=Code.UNKNOWN_REFERENCE)
    known = [info.kind for info in SLUICE_KINDS]
    if kind not in MODELS:
        message = f"there is no kind {kind} in {GROUP}; {did_you_mean(str(kind), known)}"
        return Finding("kind", message, code=Code.UNKNOWN_REFERENCE)
    return None


def check_metadata_shape(obj: Mapping[str, Any]) -> list[Finding]:
    """Whether ``metadata`` has the shape of Kubernetes' own."""
    metadata = obj.get("metadata")
    if metadata is None:
        return [Finding("metadata", "is required; add metadata with a name", code=Code.MISSING)]
    if isinstance(metadata, Mapping):
        # Clients send null for what they leave empty, and API servers drop it.
        metadata = {key: value for key, value in metadata.items() if value is not None}
    return check_shape(ObjectMeta, metadata, "metadata")


def _nothing(obj: Mapping[str, Any], files: bool) -> Iterator[Finding]:  # noqa: ARG001
    yield from ()


def _workflow(obj: Mapping[str, Any], files: bool) -> Iterator[Finding]:
    yield from check_workflow(obj, files=files)


def _rollout(obj: Mapping[str, Any], files: bool) -> Iterator[Finding]:  # noqa: ARG001
    yield from check_rollout(obj)


def _environment(obj: Mapping[str, Any], files: bool) -> Iterator[Finding]:  # noqa: ARG001
    spec = obj["spec"]
    tier = spec.get("tier")
    if tier is not None and (tier == "Production") != (spec["type"] == "Production"):
        message = (
            f"tier {tier} does not go with type {spec['type']}; the tier is Production where the type is, only there"
        )
        yield Finding("spec.tier", message, code=Code.CONFLICT)
    for key in ("stepTimeout", "runTimeout"):
        yield from check_duration((spec.get("limits") or {}).get(key), join("spec.limits", key))
    if spec.get("egress"):
        yield from _egress(obj)


def _egress(obj: Mapping[str, Any]) -> Iterator[Finding]:
    """What would keep pods from being launched. Also where runs are local processes: it is the same manifest elsewhere."""
    placement = placement_of(Environment.model_validate({**obj, "metadata": {}, "status": {}}), embedded=False)
    for problem in problems(replace(placement, launch=Launch.JOB)):
        if problem.field.startswith("spec.egress["):
            yield problem


def _state(obj: Mapping[str, Any], files: bool) -> Iterator[Finding]:  # noqa: ARG001
    for name, override in (obj["spec"].get("overrides") or {}).items():
        until = override.get("until")
        if until is not None and not is_timestamp(until):
            message = f"{until} is no point in time; write one such as 2026-01-01T06:00:00Z"
            yield Finding(join("spec.overrides", name, "until"), message)


def _run(obj: Mapping[str, Any], files: bool) -> Iterator[Finding]:
    spec = obj["spec"]
    if files and spec.get("pin") is not None:
        yield Finding("spec.pin", "only the controller chooses the version; remove it", code=Code.REFUSED)
    if spec["input"].get("payload") is not None and spec["input"].get("payloadRef") is not None:
        message = "payload and payloadRef both say the input; keep one"
        yield Finding("spec.input.payloadRef", message, code=Code.ONE_OF)


def _approval(obj: Mapping[str, Any], files: bool) -> Iterator[Finding]:  # noqa: ARG001
    subject = obj["spec"]["subject"]
    of_step = subject.get("run") is not None and subject.get("step") is not None
    if (subject.get("version") is not None) == of_step or (subject.get("run") is None) != (subject.get("step") is None):
        yield Finding(
            "spec.subject", "it is about a version, or about run and step; write one of both", code=Code.ONE_OF
        )


_RULES: Mapping[str, Callable[[Mapping[str, Any], bool], Iterator[Finding]]] = MappingProxyType(
    {
        "Workflow": _workflow,
        "Rollout": _rollout,
        "Environment": _environment,
        "EnvironmentState": _state,
        "WorkflowRun": _run,
        "Approval": _approval,
    }
)
