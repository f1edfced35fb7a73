"""What the ledger knows of runs, over HTTP: reports, logs, and history beyond the objects that are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sluice.api.kinds import API_VERSION, WORKFLOW_RUN, WORKFLOW_VERSION
from sluice.domain.identity import run_id
from sluice.domain.run.events import STEP_ENDED, Event
from sluice.domain.run.given import rfc3339
from sluice.http.kubernetes.answers import answer, refusal
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.errors import Refused, bad_request, refusal_of
from sluice.http.server import RouteGroup
from sluice.ports.errors import NotFound, PortError
from sluice.ports.ledger import Ledger, RunRecord
from sluice.ports.store import Obj, Ref, Store

RUNS = f"/apis/{API_VERSION}/namespaces/{{namespace}}/workflowruns/{{name}}"
MAX_PAGE = 500
LONGEST_NUMBER = 18
"""Digits: what fits into the ledger's integers."""


class History:
    """Reads runs by name, from the object while it is kept and from the ledger afterwards."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    def record(self, namespace: str, name: str) -> RunRecord:
        """The newest run of this name. NotFound if neither server nor ledger knows one."""
        try:
            uid = self._store.get(Ref(WORKFLOW_RUN, namespace, name))["metadata"]["uid"]
            record = self._ledger.run(uid)
        except NotFound:
            record = self._ledger.run_named(namespace, name)
        if record is None:
            raise NotFound(f'the ledger has no run "{name}" in namespace {namespace} that was let in')
        return record

    def report(self, namespace: str, name: str) -> Obj:
        """The execution report (R133 to R136)."""
        from sluice.domain.run.plan import compile_plan  # noqa: PLC0415 - expressions are slow to import
        from sluice.domain.run.report import report  # noqa: PLC0415

        record = self.record(namespace, name)
        if not record.number:
            return {"success": False, "run": shown(record), **record.end}
        version = self._version(record)
        plan = compile_plan(version["spec"]["definition"], version["spec"]["level"])
        return report(plan, self._ledger.history(record.uid), shown(record))

    def _version(self, record: RunRecord) -> Obj:
        """The version that a run was pinned to; not one that a later workflow of the same name published."""
        name = f"{record.workflow}-v{record.number}"
        version = self._store.get(Ref(WORKFLOW_VERSION, record.namespace, name))
        if version["spec"]["workflowUid"] != record.workflow_uid:
            raise NotFound(f"{name}, which the run was pinned to, went with its workflow; its log is still there")
        return version

    def log(self, namespace: str, name: str, step: str, tail: int) -> str:
        """What the steps printed, in the order in which they ended; of one step, or of all under headings."""
        record = self.record(namespace, name)
        ended = [event for event in self._ledger.history(record.uid) if event.kind == STEP_ENDED]
        wanted = [event for event in ended if not step or event.step == step]
        text = "".join(_printed(event, heading=not step) for event in wanted)
        return "".join(text.splitlines(keepends=True)[-tail:]) if tail else text

    def runs(self, namespace: str, workflow: str, environment: str, *, limit: int, before: int) -> list[Obj]:
        """A page of history, newest first."""
        found = self._ledger.runs(namespace, workflow, environment, limit=limit, before=before)
        return [shown(record) for record in found]


def shown(record: RunRecord) -> Obj:
    """A run of the ledger as JSON; times RFC 3339."""
    failure = record.end.get("failure") or {}
    return {
        "id": run_id(record.uid),
        "uid": record.uid,
        "namespace": record.namespace,
        "name": record.name,
        "workflow": record.workflow,
        "workflowUid": record.workflow_uid,
        "environment": record.environment,
        "number": record.number,
        "version": f"v{record.number}" if record.number else "",
        "candidate": record.candidate,
        "window": record.window,
        "place": record.n,
        "phase": record.phase,
        "reason": failure.get("reason") or record.end.get("reason") or "",
        "actor": record.actor,
        "trigger": record.trigger,
        "replayOf": record.replay_of,
        "createdAt": rfc3339(record.created),
        "startedAt": rfc3339(record.started),
        "endedAt": rfc3339(record.ended),
    }


def _printed(event: Event, *, heading: bool) -> str:
    log = event.body.get("log") or ""
    if not log:
        return ""
    ending = "" if log.endswith("\n") else "\n"
    return f"==> {event.step} (attempt {event.attempt}) <==\n{log}{ending}" if heading else f"{log}{ending}"


def history_group(store: Store, ledger: Ledger, access: Access) -> RouteGroup:
    """The routes; put them before the Kubernetes protocol, whose paths they lie below."""
    history = History(store, ledger)

    def admitted(request: Request, answering: Callable[[Request], Response]) -> Response:
        """Off the event loop: who asks may have to be found out by asking somebody else."""
        namespace, name = request.path_params["namespace"], request.path_params.get("name", "")
        access.require(
            access.actor_of(request), "get" if name else "list", WORKFLOW_RUN, namespace=namespace, name=name
        )
        return answering(request)

    def guarded(answering: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            name = request.path_params.get("name", "")
            try:
                return await run_in_threadpool(admitted, request, answering)
            except Refused as refused:
                return refusal(refused)
            except PortError as error:
                return refusal(refusal_of(error, WORKFLOW_RUN, name))

        return endpoint

    def report(request: Request) -> Response:
        return answer(history.report(request.path_params["namespace"], request.path_params["name"]))

    def log(request: Request) -> Response:
        query = request.query_params
        text = history.log(
            request.path_params["namespace"],
            request.path_params["name"],
            query.get("step", ""),
            _number(query.get("tail") or query.get("tailLines") or "0", "tail"),
        )
        return PlainTextResponse(text)

    def runs(request: Request) -> Response:
        query = request.query_params
        found = history.runs(
            request.path_params["namespace"],
            query.get("workflow", ""),
            query.get("environment", ""),
            limit=max(1, min(_number(query.get("limit", "100"), "limit"), MAX_PAGE)),
            before=_number(query.get("before", "0"), "before"),
        )
        return Response(orjson.dumps({"runs": found}), media_type="application/json")

    return RouteGroup(
        [
            Route(f"{RUNS}/report", guarded(report), methods=["GET"]),
            Route(f"{RUNS}/log", guarded(log), methods=["GET"]),
            Route("/api/sluice/v1/namespaces/{namespace}/runs", guarded(runs), methods=["GET"]),
        ]
    )


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER):
        raise bad_request(f"{name} must be a whole number, not {text!r}")
    return int(text)
