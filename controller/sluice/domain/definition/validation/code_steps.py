"""Python steps: the code compiles, keeps to the rules, and names only what is there; requirements are exact and locked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sluice.domain.definition.python_rules import IMPORTABLE, CodeProblem, check_code, nodes_of
from sluice.domain.definition.validation.findings import Code, Finding, did_you_mean
from sluice.domain.definition.validation.outline import GraphAt, Outline, StepAt

_EXACT = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[A-Za-z0-9,._ -]+\])?==[A-Za-z0-9.!+_-]+")
_SUBSCRIPT = re.compile(r"\b(steps|params)\s*\[")
_USE = re.compile(r"""\b(?P<root>steps|params)\b(?:\[(?P<quote>['"])(?P<name>\w+)(?P=quote)\]|(?P<attribute>\.))?""")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def check_code_steps(outline: Outline, *, files: bool) -> Iterator[Finding]:
    """Every finding about Python steps. With ``files``, ``file`` may still stand where the code will be."""
    for graph in outline.graphs():
        for step in graph.steps:
            python = (step.body.get("action") or {}).get("python")
            if python is not None:
                yield from _check_source(step, python, files=files)
                yield from _check_requirements(step, python)
                yield from _check_code(step, python, graph)


def _check_source(step: StepAt, python: Mapping[str, Any], *, files: bool) -> Iterator[Finding]:
    code, file = python.get("code"), python.get("file")
    if code is None and file is None:
        yield Finding(
            step.at("action", "python"), "it has no code; write code, or file beside the manifest", code=Code.MISSING
        )
    elif code is not None and file is not None:
        yield Finding(step.at("action", "python"), "it has code and file; keep one of them", code=Code.ONE_OF)
    elif file is not None and not files:
        message = "a server can't see files; put the code into code, or apply it with sluice, which does so"
        yield Finding(step.at("action", "python", "file"), message, code=Code.FILE_NOT_INLINED)


def _check_requirements(step: StepAt, python: Mapping[str, Any]) -> Iterator[Finding]:
    locked = [str(line) for line in python.get("lock") or () if _HASH.search(str(line))]
    for index, requirement in enumerate(python.get("requirements") or ()):
        where = step.at("action", "python", "requirements", index)
        exact = _EXACT.fullmatch(requirement.strip())
        if exact is None:
            message = f"{requirement} is not exact; write the version, such as pandas==2.2.3"
            yield Finding(where, message, code=Code.REQUIREMENTS)
        elif not any(_same_package(line, requirement) for line in locked):
            message = f"{requirement} is not locked; run sluice lock, and keep what it writes"
            yield Finding(where, message, code=Code.REQUIREMENTS)


def _same_package(line: str, requirement: str) -> bool:
    def spelled(text: str) -> str:
        return re.sub(r"[-_.]+", "-", text.partition("[")[0].lower() if "[" in text else text.lower())

    name, _, version = requirement.partition("==")
    locked, _, rest = line.strip().partition("==")
    return spelled(name.strip()) == spelled(locked.strip()) and rest.split(" ")[0].rstrip("\\;") == version.strip()


def _check_code(step: StepAt, python: Mapping[str, Any], graph: GraphAt) -> Iterator[Finding]:
    code = python.get("code")
    if code is None:
        return
    modules = IMPORTABLE
    if python.get("requirements"):
        # What a package calls its modules is known only once it is installed.
        modules |= _imported(code)
    problems = check_code(code, modules)
    if not problems:
        problems = list(_unknown_names(code, step, graph))
    for problem in problems:
        yield Finding(step.at("action", "python", "code"), str(problem), code=Code.PYTHON)


def _imported(code: str) -> frozenset[str]:
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return frozenset(name.partition(".")[0] for name in names)


def _unknown_names(code: str, step: StepAt, graph: GraphAt) -> Iterator[CodeProblem]:
    """``steps["x"]`` and ``params["x"]`` with a name that isn't there, unless the code makes its own of these."""
    if not _SUBSCRIPT.search(code):
        return
    if code.isascii() and all(_is_known(use, step, graph) for use in _USE.finditer(code)):
        return
    nodes = nodes_of(ast.parse(code))
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    visible: frozenset[str] | None = None
    for node in nodes:
        match node:
            case ast.Subscript(value=ast.Name(id=root), slice=ast.Constant(value=str(name))) if root not in assigned:
                if root == "params" and name not in graph.params:
                    message = f"there is no parameter {name}; {did_you_mean(name, graph.params, what='declared are')}"
                    yield CodeProblem(node.lineno, message)
                if root != "steps" or graph.sees(step.name, name):
                    continue
                if name in graph.names or name in graph.outside:
                    yield CodeProblem(node.lineno, f"step {name} does not come before this one; add it to needs")
                else:
                    visible = graph.visible(step.name) if visible is None else visible
                    yield CodeProblem(node.lineno, f"there is no step {name}; {did_you_mean(name, visible)}")


def _is_known(use: re.Match[str], step: StepAt, graph: GraphAt) -> bool:
    """Whether the text alone shows that what is taken from ``steps`` or ``params`` is there."""
    name = use["name"]
    if name is None:
        return use["attribute"] is not None
    return name in graph.params if use["root"] == "params" else graph.sees(step.name, name)
