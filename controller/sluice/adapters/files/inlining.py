"""``file: transform.py`` of a Python step becomes its ``code``, before anything is validated, digested or sent."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from typing import Any

from sluice.domain.definition.python_rules import MAX_CODE_BYTES
from sluice.domain.definition.validation.findings import Code, Finding, join

Read = Callable[[str], bytes]
"""Gives the bytes of a file by its path from the folder; raises OSError or KeyError if there is none."""

Place = tuple[str, dict[str, Any]]


def inline_code(obj: dict[str, Any], folder: str, read: Read) -> list[Finding]:
    """Put the code of files into a Workflow; ``folder`` is where its manifest stands. Changes ``obj``; what can't be
    inlined stays, with a finding."""
    findings: list[Finding] = []
    for field, python in _python_steps(obj):
        name = python.get("file")
        if not isinstance(name, str) or python.get("code") is not None:
            continue
        outcome = _read_code(name, folder, read)
        if outcome.startswith("\0"):
            findings.append(Finding(join(field, "file"), outcome[1:], code=Code.FILE_NOT_INLINED))
        else:
            del python["file"]
            python["code"] = outcome
    return findings


def _read_code(name: str, folder: str, read: Read) -> str:
    """The code, or a NUL and why there is none (no code has a NUL)."""
    path = posixpath.normpath(posixpath.join(folder, name))
    if posixpath.isabs(name) or path.startswith("../") or path == ".." or "\\" in name or "\0" in name:
        return f"\0{name!r} leads out of the folder; put the file beside the manifest"
    try:
        content = read(path)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return f"\0{path} is not UTF-8; save it as UTF-8"
    except PermissionError as error:
        return f"\0{path} can't be read: {error.strerror or error}; put the file beside the manifest"
    except (OSError, KeyError):
        return f"\0there is no file {path}; create it, or correct the name"
    if len(content) > MAX_CODE_BYTES:
        return f"\0{path} is over {MAX_CODE_BYTES // 1024} KiB; split it over several steps"
    if "\0" in text:
        return f"\0{path} has a NUL character in it; remove it"
    return text


def _python_steps(obj: dict[str, Any]) -> Iterator[Place]:
    """The Python actions of a definition in any spelling, also of one that has other mistakes."""
    definition = _map(_map(obj.get("spec")).get("definition"))
    where = "spec.definition"
    for key in ("steps", "finally", "tasks"):
        yield from _listed(definition.get(key), join(where, key))
    for name, graph in _map(definition.get("graphs")).items():
        yield from _listed(_map(graph).get("steps"), join(where, "graphs", name, "steps"))
    for name, node in _map(definition.get("nodes")).items():
        yield from _python_of(node, join(where, "nodes", name))


def _listed(steps: Any, field: str) -> Iterator[Place]:
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        yield from _python_of(step, join(field, index))


def _python_of(step: Any, field: str) -> Iterator[Place]:
    python = _map(_map(step).get("action")).get("python")
    if isinstance(python, dict):
        yield join(field, "action", "python"), python


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
