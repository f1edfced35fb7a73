"""Python steps: the code runs in one namespace of its own, and what it assigns to ``output`` is the output.

Functions see the names of the top level. ``context`` may be changed in place; the keys whose JSON differs afterwards
are what the step set. Runs inside a worker process, which is the sandbox; this only makes mistakes clear.
"""

from __future__ import annotations

import decimal
import traceback
from collections.abc import Mapping
from types import CodeType
from typing import Any

import orjson

from sluice.domain.definition.python_rules import check_code
from sluice.steps.log import Log
from sluice.steps.namespace import new_builtins
from sluice.steps.outcome import (
    CODE_FAILED,
    CODE_NOT_ALLOWED,
    EXITED,
    OUTPUT_INVALID,
    STEP_OOM,
    Body,
    Failure,
    NotJson,
    encode,
    encode_output,
    failed,
    succeeded,
)

_FILE = "<step>"
_SYNTAX = "this is no Python"


class Record(dict[str, Any]):
    """A step's record, read as ``steps.a.output`` or ``steps["a"]["output"]``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            known = ", ".join(sorted(self)) or "none"
            raise AttributeError(f"there is no {name} here; there are: {known}") from None


def compile_code(code: str) -> CodeType:
    """Check and compile; raises Failure with CodeNotAllowed, or CodeFailed where it is no Python."""
    problems = check_code(code)
    if problems:
        reason = CODE_FAILED if any(_SYNTAX in problem.message for problem in problems) else CODE_NOT_ALLOWED
        raise Failure(reason, "; ".join(str(problem) for problem in problems[:3]))
    return compile(code, _FILE, "exec", dont_inherit=True)


def execute(program: CodeType, names: Mapping[str, Any], *, source: str = "") -> Body:
    """Run compiled code with these names and give the body of its StepEnded. Never raises an Exception.

    ``names`` are handed over: the code may change them. ``source`` is quoted in the log beside what failed.
    """
    log = Log()
    namespace: dict[str, Any] = {"__builtins__": new_builtins(log.print), "__name__": "step", "files": {}, **names}
    if "steps" in names:
        namespace["steps"] = Record({step: Record(record) for step, record in names["steps"].items()})
    before = _encoded_context(names.get("context"))
    decimal.setcontext(decimal.Context())
    try:
        exec(program, namespace)
        output = encode_output(namespace.get("output"))
        return succeeded(output, context=_changes(before, namespace.get("context", {})), log=log.text())
    except Failure as failure:
        return failed(failure.reason, failure.message, log=log.text())
    except MemoryError:
        namespace.clear()
        return failed(STEP_OOM, "the step needs more memory than it may have; read less at a time", log=log.text())
    except SystemExit as error:
        message = f"the code ended itself with exit status {error.code}; assign output, or raise an exception"
        return failed(EXITED, message, log=log.text())
    except BaseException as error:
        return _raised(error, log, source)


def _encoded_context(context: object) -> dict[str, bytes]:
    if not isinstance(context, dict):
        return {}
    return {key: orjson.dumps(value) for key, value in context.items()}


def _changes(before: Mapping[str, bytes], context: object) -> dict[str, orjson.Fragment]:
    """The keys that the code set, with their new values; a removed key can't be recorded."""
    if not isinstance(context, dict):
        raise Failure(OUTPUT_INVALID, f"context is a {type(context).__name__} now; assign to its keys instead")
    changes = {}
    for key, value in context.items():
        if not isinstance(key, str):
            raise Failure(OUTPUT_INVALID, f"context has the key {key!r}; keys are text")
        try:
            encoded = encode(value, f"context[{key!r}]")
        except NotJson as error:
            raise Failure(OUTPUT_INVALID, str(error)) from None
        if before.get(key) != encoded:
            changes[key] = orjson.Fragment(encoded)
    for key in before.keys() - context.keys():
        raise Failure(OUTPUT_INVALID, f"context[{key!r}] was removed; set it to None instead")
    return changes


def _raised(error: BaseException, log: Log, source: str) -> Body:
    """``ValueError: no such customer (line 3)``, and the user's own lines of the traceback in the log."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__, limit=-1000) if frame.filename == _FILE]
    lines = source.splitlines()
    for frame in frames[-10:]:
        number = frame.lineno or 0
        text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        log.write(f"  line {number}, in {frame.name}: {text}\n")
    message = _described(error)
    log.write(message + "\n")
    place = f" (line {frames[-1].lineno})" if frames else ""
    return failed(CODE_FAILED, message[:3900] + place, log=log.text())


def _described(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        return f"{name} (its text can't be made)"
    return f"{name}: {text}" if text else name
