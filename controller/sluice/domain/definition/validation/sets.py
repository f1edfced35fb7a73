"""What only a look at several objects shows: names that lead nowhere, a first publish straight into production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sluice.domain.definition.validation.findings import Code, Finding, did_you_mean, join, warning

Object = Mapping[str, Any]
Placed = tuple[int, Finding]


@dataclass(frozen=True)
class Known:
    """The objects at hand, by kind and name within one namespace. What isn't at hand may still be on the server, so an
    unknown name is an error only where others of its kind are at hand."""

    namespace: str
    objects: Sequence[tuple[int, Object]]

    def named(self, kind: str) -> dict[str, Object]:
        """The objects of a kind by name."""
        return {name_of(obj): obj for _, obj in self.objects if obj["kind"] == kind}

    @cached_property
    def environments(self) -> dict[str, Object]:
        """The Environments by name."""
        return self.named("Environment")

    @cached_property
    def workflows(self) -> dict[str, Object]:
        """The Workflows by name."""
        return self.named("Workflow")

    @cached_property
    def states(self) -> dict[str, dict[str, str]]:
        """What the EnvironmentStates say, by workflow and environment."""
        found: dict[str, dict[str, str]] = {}
        for name, obj in self.named("EnvironmentState").items():
            workflow, _, environment = name.partition(".")
            found.setdefault(workflow, {})[environment] = obj["spec"]["state"]
        return found


def validate_set(objects: Sequence[Object]) -> list[Placed]:
    """Findings about valid objects of Sluice's group that are applied together, each with the index of its object."""
    namespaces: dict[str, list[tuple[int, Object]]] = {}
    for index, obj in enumerate(objects):
        namespace = (obj.get("metadata") or {}).get("namespace") or ""
        namespaces.setdefault(namespace, []).append((index, obj))
    return [found for namespace, members in namespaces.items() for found in _check(Known(namespace, members))]


def name_of(obj: Object) -> str:
    """``metadata.name``, or nothing."""
    return str((obj.get("metadata") or {}).get("name") or "")


def _check(known: Known) -> Iterator[Placed]:
    for index, obj in known.objects:
        match obj["kind"]:
            case "Workflow":
                found = _workflow(obj, known)
            case "EnvironmentState":
                found = _state(obj, known)
            case "WorkflowRun":
                found = _run(obj, known)
            case "Rollout":
                found = _rollout(obj, known)
            case _:
                continue
        yield from ((index, finding) for finding in found)


def _environment(name: str | None, field: str, known: Known) -> Iterator[Finding]:
    if name is not None and known.environments and name not in known.environments:
        message = f"there is no environment {name}; {did_you_mean(name, known.environments)}"
        yield Finding(field, message, code=Code.UNKNOWN_REFERENCE)


def _workflow(obj: Object, known: Known) -> Iterator[Finding]:
    spec = obj["spec"]
    for name in spec.get("environments") or {}:
        yield from _environment(name, join("spec.environments", name), known)
    yield from _environment(spec.get("environment"), "spec.environment", known)
    for index, notification in enumerate(spec.get("notifications") or ()):
        for place, name in enumerate(notification.get("environments") or ()):
            yield from _environment(name, join("spec.notifications", index, "environments", place), known)
    yield from _first_in_production(obj, known)


def _first_in_production(obj: Object, known: Known) -> Iterator[Finding]:
    """Active in production and nowhere else (R239)."""
    wanted = (obj["spec"].get("environments") or {}) | known.states.get(name_of(obj), {})
    active = [name for name, state in wanted.items() if state == "Active" and name in known.environments]
    types = {known.environments[name]["spec"]["type"] for name in active}
    sandboxes = [name for name, each in known.environments.items() if each["spec"]["type"] == "Sandbox"]
    if types == {"Production"} and sandboxes and obj["spec"].get("scope") != "Environment":
        message = f"it is Active in production only; let it run in {sandboxes[0]} first"
        yield warning("spec.environments", message, Code.FIRST_PUBLISH_IN_PRODUCTION)


def _state(obj: Object, known: Known) -> Iterator[Finding]:
    workflow, _, environment = name_of(obj).partition(".")
    yield from _environment(environment, "metadata.name", known)
    if known.workflows and workflow not in known.workflows:
        message = f"there is no workflow {workflow} here; {did_you_mean(workflow, known.workflows)}"
        yield warning("metadata.name", message, Code.UNKNOWN_REFERENCE)


def _run(obj: Object, known: Known) -> Iterator[Finding]:
    given = obj["spec"]["input"]
    yield from _environment(given.get("environment"), "spec.input.environment", known)
    workflow = known.workflows.get(given["workflow"])
    if workflow is None:
        if known.workflows:
            message = (
                f"there is no workflow {given['workflow']} here; {did_you_mean(given['workflow'], known.workflows)}"
            )
            yield warning("spec.input.workflow", message, Code.UNKNOWN_REFERENCE)
        return
    declared = (workflow["spec"].get("definition") or {}).get("params") or {}
    for name in given.get("params") or {} if workflow["spec"].get("definition") else ():
        if name not in declared:
            message = (
                f"{given['workflow']} has no parameter {name}; {did_you_mean(name, declared, what='declared are')}"
            )
            yield Finding(join("spec.input.params", name), message, code=Code.PARAMETER)


def _rollout(obj: Object, known: Known) -> Iterator[Finding]:
    name, split = name_of(obj), obj["spec"].get("split")
    workflow = known.workflows.get(name)
    if workflow is None:
        if known.workflows and name != "default":
            message = f"there is no workflow {name} here; {did_you_mean(name, known.workflows)}"
            yield warning("metadata.name", message, Code.UNKNOWN_REFERENCE)
        return
    definition = workflow["spec"].get("definition") or {}
    if split == "Hash" and definition and definition.get("stickyKey") is None:
        message = f"{name} has no stickyKey to split by; add it to the definition, or write split: Quota"
        yield Finding("spec.split", message, code=Code.CONFLICT)
    for index, step in enumerate(obj["spec"].get("steps") or ()):
        for place, environment in enumerate((step.get("gate") or {}).get("environments") or ()):
            where = join("spec.steps", index, "gate", "environments", place)
            yield from _environment(environment, where, known)
