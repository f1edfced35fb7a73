"""The workers of a runner, and which attempt goes to whom with what."""

from __future__ import annotations

import itertools
import selectors
import socket
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

import orjson

from sluice.domain.run.driver import Work
from sluice.domain.run.plan import Plan
from sluice.domain.run.values import visible_context, visible_steps
from sluice.runner.codes import CodeView, view_of
from sluice.runner.pool import Bounds, Pool
from sluice.runner.session import Session
from sluice.runner.tasks import CodeTask, HttpTask
from sluice.runner.worker import HTTP_TASKS, serve_code, serve_http
from sluice.steps.outcome import INVALID_INPUT, Body, failed

PARALLEL_STEPS: Final = 16
"""Worker processes at most, unless the limits say otherwise."""
_HTTP_WORKERS: Final = 4


class Crew:
    """Workers for the segments of one version in one environment. ``limits`` are those of `ports.launcher.Segment`."""

    def __init__(self, plan: Plan, limits: Mapping[str, Any], folder: Path, selector: selectors.BaseSelector) -> None:
        self._plan = plan
        self._memory = int(limits.get("stepMemory") or 0)
        self._seconds = float(limits.get("stepTimeout") or 0)
        self._numbers = itertools.count(1)
        self._tasks: dict[tuple[int, str], int] = {}
        self._views: dict[str, CodeView] = {}
        self._payloads: dict[int, orjson.Fragment] = {}

        def code_worker(sock: socket.socket, place: int) -> NoReturn:
            serve_code(sock, str(folder / f"worker-{place}"))

        def http_worker(sock: socket.socket, _: int) -> NoReturn:
            serve_http(sock)

        self._code = Pool(selector, code_worker, Bounds(int(limits.get("parallelSteps") or PARALLEL_STEPS)))
        self._http = Pool(selector, http_worker, Bounds(_HTTP_WORKERS, HTTP_TASKS))
        if any(step.kind == "action.python" for step in plan.ordered):
            self._code.warm()

    def carry_out(self, session: Session, work: Work) -> None:
        """Hand an attempt to the workers of its kind; the session hears of it by ``begun`` and ``ended``."""
        number = next(self._numbers)
        seconds = work.timeout / 1e6 or self._seconds
        begun, ended = partial(session.begun, work.step), partial(self._ended, session, work.step)
        if work.kind == "action.python":
            view = self._view(work.input["code"])
            names = self._names(session, work.step, view)
            code = CodeTask(number, seconds, begun, ended, view=view, names=names, memory=self._memory)
            self._tasks[session.number, work.step] = number
            self._code.submit(code, time.monotonic())
        elif work.kind == "action.http":
            request = HttpTask(number, seconds, begun, ended, fields=dict(work.input), key=work.key)
            self._tasks[session.number, work.step] = number
            self._http.submit(request, time.monotonic())
        else:
            session.ended(work.step, failed(INVALID_INPUT, f"a step of kind {work.kind} can't be executed here"))

    def stop(self, session: Session, steps: Iterable[str]) -> None:
        """Stop attempts, silently; their processes are killed."""
        numbers = [self._tasks.pop((session.number, step), 0) for step in steps]
        if any(numbers):
            self._code.cancel(numbers)
            self._http.cancel(numbers)

    def tick(self, now: float) -> float:
        """Look after the workers; when to do so again, seconds of the monotonic clock."""
        return min(self._code.tick(now), self._http.tick(now))

    def forget(self, session: Session) -> None:
        """The segment is over."""
        self._payloads.pop(session.number, None)

    def close(self) -> None:
        """Kill all workers and wait for them."""
        self._code.close()
        self._http.close()

    def _ended(self, session: Session, step: str, body: Body) -> None:
        self._tasks.pop((session.number, step), None)
        session.ended(step, body)

    def _view(self, code: str) -> CodeView:
        view = self._views.get(code)
        if view is None:
            view = self._views[code] = view_of(code)
        return view

    def _names(self, session: Session, step: str, view: CodeView) -> dict[str, Any]:
        """What the code sees, as far as it mentions it. The payload is encoded once per segment."""
        state, planned = session.state, self._plan.steps[step]
        names: dict[str, Any] = {"payload": None, "context": {}, "params": {}, "steps": {}}
        if view.payload:
            payload = self._payloads.get(session.number)
            if payload is None:
                payload = self._payloads[session.number] = orjson.Fragment(orjson.dumps(state.given.payload))
            names["payload"] = payload
        if view.context:
            names["context"] = visible_context(state, planned)
        if view.params:
            names["params"] = state.given.params
        if view.steps is None:
            names["steps"] = visible_steps(state, planned)
        elif view.steps:
            steps = self._plan.steps
            seen = [name for name in view.steps if name in steps and steps[name].bit & planned.visible]
            names["steps"] = {name: state.values.step_record(name) for name in seen}
        return names
