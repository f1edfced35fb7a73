"""What a Workflow's fields ask of each other, its definition aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.domain.definition.validation.definitions import Context, validate
from sluice.domain.definition.validation.findings import Code, Finding, did_you_mean, join
from sluice.domain.definition.validation.outline import Outline
from sluice.domain.definition.validation.step_rules import check_minimum
from sluice.domain.definition.validation.values import check_duration


def check_workflow(workflow: Mapping[str, Any], *, files: bool) -> Iterator[Finding]:
    """Every finding about a Workflow; its definition is held to its own shape here."""
    spec = workflow["spec"]
    yield from _check_scope(spec)
    yield from _check_source(spec)
    yield from _check_publish(spec.get("publish") or {})
    for key, revert in (spec.get("reverts") or {}).items():
        if int(revert["to"][1:]) >= int(key[1:]):
            message = f"{key} can't go back to {revert['to']}; name a version before it"
            yield Finding(join("spec.reverts", key, "to"), message, code=Code.CONFLICT)
    definition = spec.get("definition")
    if definition is None:
        return
    found = validate(definition, Context(files=files))
    yield from found
    if not any(finding.is_error for finding in found):
        yield from _check_tests(spec.get("tests") or [], Outline("spec.definition", definition))


def _check_scope(spec: Mapping[str, Any]) -> Iterator[Finding]:
    single = spec.get("scope") == "Environment"
    if single and spec.get("environment") is None:
        message = "is required with scope Environment; name the one environment it runs in"
        yield Finding("spec.environment", message, code=Code.MISSING)
    for key in ("environment", "logicalName"):
        if not single and spec.get(key) is not None:
            message = f"{key} belongs to scope Environment; remove it, or change the scope"
            yield Finding(join("spec", key), message, code=Code.CONFLICT)
    for name in (spec.get("environments") or {}) if single else ():
        if name != spec.get("environment"):
            message = f"this workflow runs in {spec.get('environment')} only; remove {name}"
            yield Finding(join("spec.environments", name), message, code=Code.CONFLICT)


def _check_source(spec: Mapping[str, Any]) -> Iterator[Finding]:
    if spec.get("definition") is not None and spec.get("definitionFrom") is not None:
        message = "definition and definitionFrom both say what it does; keep one"
        yield Finding("spec.definitionFrom", message, code=Code.ONE_OF)
    elif spec.get("definition") is None and spec.get("definitionFrom") is None:
        yield Finding("spec.definition", "is required; write the steps under it", code=Code.MISSING)


def _check_publish(publish: Mapping[str, Any]) -> Iterator[Finding]:
    approval = publish.get("approval")
    if approval is None:
        return
    where = "spec.publish.approval"
    if not approval.get("users") and not approval.get("groups"):
        yield Finding(where, "nobody may approve; name users or groups", code=Code.MISSING)
    yield from check_minimum(approval, join(where, "minimum"))
    for key in ("sla", "timeout"):
        yield from check_duration(approval.get(key), join(where, key))


def _check_tests(tests: list[Mapping[str, Any]], outline: Outline) -> Iterator[Finding]:
    names = outline.main.names | outline.final.names
    params = outline.main.params
    taken: set[str] = set()
    for index, test in enumerate(tests):
        where = join("spec.tests", index)
        if test["name"] in taken:
            yield Finding(join(where, "name"), f"there are two tests {test['name']}; rename one", code=Code.DUPLICATE)
        taken.add(test["name"])
        expect = test["expect"]
        mentioned = [(join(where, "mocks", name), name) for name in test.get("mocks") or {}]
        for key in ("ran", "skipped"):
            mentioned += [(join(where, "expect", key, at), name) for at, name in enumerate(expect.get(key) or ())]
        if expect.get("failedStep") is not None:
            mentioned.append((join(where, "expect", "failedStep"), expect["failedStep"]))
        for field, name in mentioned:
            if name not in names:
                message = f"there is no step {name}; {did_you_mean(name, names)}"
                yield Finding(field, message, code=Code.UNKNOWN_REFERENCE)
        for name in test.get("params") or {}:
            if name not in params:
                message = f"there is no parameter {name}; {did_you_mean(name, params, what='declared are')}"
                yield Finding(join(where, "params", name), message, code=Code.UNKNOWN_REFERENCE)
