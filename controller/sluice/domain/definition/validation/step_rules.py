"""What the fields of each kind of step ask of each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sluice.domain.definition.validation.findings import Code, Finding
from sluice.domain.definition.validation.outline import GraphAt, Outline, StepAt
from sluice.domain.definition.validation.sentences import shown

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def check_step_rules(outline: Outline) -> Iterator[Finding]:
    """Every finding about one step by itself, and about concurrency."""
    concurrency = outline.definition.get("concurrency") or {}
    if concurrency.get("limit") is not None and concurrency.get("policy") == "Allow":
        message = "Allow heeds no limit; write Queue, Forbid or Replace, or remove the limit"
        yield Finding(f"{outline.field}.concurrency.policy", message, code=Code.CONFLICT)
    for graph in outline.graphs():
        for step in graph.steps:
            yield from _check_error_branch(step, graph)
            rule = _RULES.get(step.kind)
            if rule is not None:
                yield from rule(step, step.spec)


def _check_error_branch(step: StepAt, graph: GraphAt) -> Iterator[Finding]:
    branch = step.body.get("onError")
    if not branch:
        return
    if branch.get("goto") is not None and branch.get("action") is not None:
        message = "goto and action are two answers to one error; keep one (then: Fail lets the run fail after goto)"
        yield Finding(step.at("onError"), message, code=Code.ONE_OF)
    if branch.get("then") is not None and branch.get("goto") is None:
        yield Finding(step.at("onError", "then"), "then belongs to goto; write action instead", code=Code.CONFLICT)
    target = graph.by_name.get(branch.get("goto"))
    if target is not None and step.name in target.needs:
        message = (
            f"{target.name} handles the error of {step.name}, so it can't need {step.name}'s success; remove the need"
        )
        yield Finding(target.needs[step.name], message, code=Code.CONFLICT)


def _http(step: StepAt, http: Mapping[str, Any]) -> Iterator[Finding]:
    connection, url, path = http.get("connection"), http.get("url"), http.get("path")
    if connection is None and url is None:
        yield Finding(step.at(*step.kind), "it has no address; write url, or connection and path", code=Code.MISSING)
    if connection is not None and url is not None:
        message = "the connection has the address; write path instead of url, or remove connection"
        yield Finding(step.at(*step.kind, "url"), message, code=Code.CONFLICT)
    if connection is None and path is not None:
        message = "path is relative to a connection; write the whole address into url"
        yield Finding(step.at(*step.kind, "path"), message, code=Code.CONFLICT)
    if url is not None and not re.match(r"https?://|\$\{", url):
        message = f"{shown(url)} is no address; write one that begins with https:// or http://"
        yield Finding(step.at(*step.kind, "url"), message, code=Code.WRONG_FORM)
    for name in http.get("headers") or {}:
        if not _HEADER.fullmatch(name):
            message = f"{shown(name)} is no name of a header; use letters, digits and -"
            yield Finding(step.at(*step.kind, "headers", name), message, code=Code.WRONG_FORM)


def _container(step: StepAt, container: Mapping[str, Any]) -> Iterator[Finding]:
    if container.get("script") is not None and (container.get("command") or container.get("args")):
        message = "script stands instead of command and args; keep one"
        yield Finding(step.at(*step.kind, "script"), message, code=Code.ONE_OF)
    for name in container.get("env") or {}:
        field = step.at(*step.kind, "env", name)
        if not _VARIABLE.fullmatch(name):
            message = f"{shown(name)} is no name of a variable; use letters, digits and _, with no digit at the start"
            yield Finding(field, message, code=Code.NAME)
        elif name.startswith("SLUICE_"):
            yield Finding(field, f"{name} is Sluice's to set; choose a name without SLUICE_", code=Code.CONFLICT)
    output_from = container.get("outputFrom")
    if output_from is not None and not re.match(r"/[^/\0]|\$\{", output_from):
        message = f"{shown(output_from)} is no file's path; write one that begins with /, such as /scratch/output.json"
        yield Finding(step.at(*step.kind, "outputFrom"), message, code=Code.WRONG_FORM)


def _data(step: StepAt, data: Mapping[str, Any]) -> Iterator[Finding]:
    operation = data["operation"]
    wanted = {"Query": ["query"], "Execute": ["query"], "Upsert": ["table", "rows", "keys"], "Write": ["table", "rows"]}
    yield from _required(step, data, wanted.get(operation, ["table"]), f"operation {operation}")
    if operation in ("Query", "Execute") and "${" in (data.get("query") or ""):
        message = "a query is no template; name a parameter in it and give its value under values"
        yield Finding(step.at("data", "query"), message, code=Code.EXPRESSION)


def _storage(step: StepAt, storage: Mapping[str, Any]) -> Iterator[Finding]:
    operation = storage["operation"]
    if operation != "List":
        yield from _required(step, storage, ["key"], f"operation {operation}")
    if operation == "Put" and (storage.get("content") is None) == (storage.get("artifact") is None):
        yield Finding(step.at("storage"), "Put takes exactly one of content and artifact", code=Code.ONE_OF)


def _required(step: StepAt, spec: Mapping[str, Any], names: list[str], what: str) -> Iterator[Finding]:
    for name in names:
        if spec.get(name) is None:
            yield Finding(step.at(*step.kind, name), f"is required with {what}; add it", code=Code.MISSING)


def _approval(step: StepAt, approval: Mapping[str, Any]) -> Iterator[Finding]:
    if not approval.get("users") and not approval.get("groups"):
        message = "nobody may decide; name users or groups"
        yield Finding(step.at("approval"), message, code=Code.MISSING)
    yield from check_minimum(approval, step.at("approval", "minimum"))
    escalate = approval.get("escalate")
    if escalate is not None:
        if not escalate.get("users") and not escalate.get("groups"):
            message = "it escalates to nobody; name users or groups"
            yield Finding(step.at("approval", "escalate"), message, code=Code.MISSING)
        if approval.get("sla") is None:
            message = "it says whom to turn to but not when; add sla"
            yield Finding(step.at("approval", "escalate"), message, code=Code.MISSING)


def check_minimum(approvers: Mapping[str, Any], field: str) -> Iterator[Finding]:
    """Whether as many can approve as must; groups may have any number of members."""
    minimum, users = approvers.get("minimum") or 1, approvers.get("users") or []
    if not approvers.get("groups") and users and minimum > len(set(users)):
        message = f"{minimum} must approve and only {len(set(users))} may; lower minimum or name more users"
        yield Finding(field, message, code=Code.CONFLICT)


def _notify(step: StepAt, notify: Mapping[str, Any]) -> Iterator[Finding]:
    if not notify["text"].strip():
        yield Finding(step.at("notify", "text"), "the message is empty; write what to tell", code=Code.MISSING)


def _wait(step: StepAt, wait: Mapping[str, Any]) -> Iterator[Finding]:
    if wait.get("timeout") is not None and wait.get("signal") is None:
        message = "timeout belongs to signal; for and until end by themselves"
        yield Finding(step.at("logic", "wait", "timeout"), message, code=Code.CONFLICT)


def _switch(step: StepAt, switch: Mapping[str, Any]) -> Iterator[Finding]:
    if not switch.get("default") and not any(case["next"] for case in switch["cases"]):
        message = "no case leads anywhere; name steps under next"
        yield Finding(step.at("logic", "switch", "cases"), message, code=Code.MISSING)


def _run(step: StepAt, run: Mapping[str, Any]) -> Iterator[Finding]:
    if not run["command"]:
        yield Finding(
            step.at(*step.kind, "command"), "the command is empty; write at least one word", code=Code.MISSING
        )


_RULES: Mapping[tuple[str, ...], Callable[[StepAt, Mapping[str, Any]], Iterator[Finding]]] = MappingProxyType(
    {
        ("action", "http"): _http,
        ("action", "container"): _container,
        ("action", "run"): _run,
        ("data",): _data,
        ("storage",): _storage,
        ("approval",): _approval,
        ("notify",): _notify,
        ("logic", "wait"): _wait,
        ("logic", "switch"): _switch,
    }
)
