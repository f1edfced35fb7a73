"""``POST /validate``: what the API server of a cluster asks before it stores what somebody wrote (admission.k8s.io/v1).

It says what the embedded server would say, and looks at nothing but the object. A cluster goes on without it: what it did
not see, the controller finds when it compiles the draft. So it answers soon or not at all: where too many wait, the next
is sent away, and what ends in an error of its own is an error, never a refusal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from sluice.api.kinds import ENVIRONMENT, ENVIRONMENT_STATE, ROLLOUT, WORKFLOW, KindInfo, kind_of
from sluice.domain.definition.validation.findings import Finding, errors
from sluice.domain.definition.validation.objects import validate_object
from sluice.http.kubernetes.answers import MAX_WARNING, answer, refusal
from sluice.http.kubernetes.bodies import read_body
from sluice.http.kubernetes.errors import RETRY_AFTER, Refused, bad_request, refusal_of, status_body
from sluice.http.kubernetes.reads import Threads
from sluice.http.server import RouteGroup
from sluice.ports.errors import Cause, Invalid
from sluice.ports.store import Obj

if TYPE_CHECKING:
    from starlette.requests import Request

PATH = "/validate"
REVIEW = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
JUDGED = frozenset({WORKFLOW, ROLLOUT, ENVIRONMENT, ENVIRONMENT_STATE})
"""Kinds that people write by hand."""
MAX_BODY = 4 * 1024 * 1024
"""Bytes of a review: the object, and on an update what it was before."""
SMALL = 4096
"""Bytes of JSON of a spec: about what is validated in 2 ms."""
MAX_WAITING = 16
"""Large objects under way at the same time: about what is done before API servers give up on the last."""
MAX_WARNINGS = 10
CLIENT_GONE = 499
"""Nobody reads it."""

Judge = Callable[[Obj], list[Finding]]
Elsewhere = Callable[[Judge, Obj], list[Finding]]
"""Calls a function where it keeps nobody from working, such as in a helper process; used from several threads."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What a review asks; without ``obj`` and its ``kind`` there is nothing to say about the write."""

    uid: str
    kind: KindInfo | None = None
    obj: Obj | None = None
    is_large: bool = False


def validation_group(elsewhere: Elsewhere) -> RouteGroup:
    """The route. Large objects are validated ``elsewhere``, one at a time; small ones, beside them, on a thread."""
    quick, slow = Threads(2), Threads(1)
    waiting = 0

    async def judged_elsewhere(question: Question) -> Obj:
        nonlocal waiting
        if waiting >= MAX_WAITING:
            raise _busy()
        waiting += 1
        try:
            return await slow.run(answer_to, question, partial(elsewhere, validate_object))
        finally:
            waiting -= 1

    async def endpoint(request: Request) -> Response:
        try:
            question = await quick.run(question_in, await read_body(request, MAX_BODY))
            if question.is_large:
                return answer(await judged_elsewhere(question))
            return answer(await quick.run(answer_to, question, validate_object))
        except Refused as refused:
            return refusal(refused)
        except RecursionError:
            return refusal(bad_request("the object nests too deeply: none of Sluice's needs that many levels"))
        except ClientDisconnect:
            return Response(status_code=CLIENT_GONE)
        except Exception:
            _log.exception(
                "an object could not be validated; whether it is stored is up to the webhook's failurePolicy"
            )
            return refusal(Refused(500, "InternalError", "an error on the server: its log says more"))

    def stop() -> None:
        quick.close()
        slow.close()

    return RouteGroup([Route(PATH, endpoint, methods=["POST"])], stopped=stop)


def answer_to(question: Question, judge: Judge) -> Obj:
    """The review with its verdict: denied where the embedded server would refuse, warned of what it would let pass."""
    response: Obj = {"uid": question.uid, "allowed": True}
    if question.kind is None or question.obj is None:
        return REVIEW | {"response": response}
    findings = judge(question.obj)
    # Metadata is the API server's own to judge.
    problems = [found for found in errors(findings) if not found.field.startswith("metadata")]
    if problems:
        causes = (Cause(found.field or "spec", found.message) for found in problems)
        invalid = Invalid.of(question.kind, _name(question.obj), causes)
        status = status_body(refusal_of(invalid, question.kind, _name(question.obj)))
        response |= {"allowed": False, "status": status}
    if warnings := list(_warnings(findings)):
        response["warnings"] = warnings
    return REVIEW | {"response": response}


def question_in(body: bytes) -> Question:
    """What a review asks. Refused (400) names what it lacks."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"invalid JSON: {error}") from error
    if not isinstance(content, dict) or any(content.get(key) != value for key, value in REVIEW.items()):
        raise bad_request("the body must be an AdmissionReview of admission.k8s.io/v1")
    request = _map_in(content, "request")
    uid, operation = request.get("uid"), request.get("operation")
    if not isinstance(uid, str) or not uid:
        raise bad_request("request.uid: is required")
    if operation not in {"CREATE", "UPDATE"} or request.get("subResource"):
        return Question(uid)
    obj = _map_in(request, "object")
    if not isinstance(obj.get("metadata"), dict):
        raise bad_request("request.object.metadata: must be an object")
    kind = kind_of(str(obj.get("apiVersion")), str(obj.get("kind")))
    if kind not in JUDGED or (operation == "UPDATE" and _is_unchanged(obj, request.get("oldObject"))):
        return Question(uid)
    return Question(uid, kind, obj, len(orjson.dumps(obj.get("spec"))) > SMALL)


def _busy() -> Refused:
    why = "too many objects are being validated; the controller looks at this one when it compiles it"
    return Refused(503, "ServiceUnavailable", why, headers={"retry-after": str(RETRY_AFTER)})


def _map_in(content: Mapping[str, Any], key: str) -> Obj:
    found = content.get(key)
    if not isinstance(found, dict):
        raise bad_request(f"{'' if key == 'request' else 'request.'}{key}: must be an object")
    return found


def _is_unchanged(new: Obj, old: Any) -> bool:
    """Whether the spec was there before: what was stored once is not refused for a label, or a finalizer that goes."""
    return isinstance(old, dict) and new.get("spec") == old.get("spec")


def _name(obj: Obj) -> str:
    return str(obj["metadata"].get("name", ""))


def _warnings(findings: Sequence[Finding]) -> Iterator[str]:
    """What kubectl prints beside "created"; the API server drops what is longer, or too much."""
    told = [str(found) for found in findings if not found.is_error]
    shown = told if len(told) <= MAX_WARNINGS else told[: MAX_WARNINGS - 1]
    for text in shown:
        yield text if len(text) <= MAX_WARNING else f"{text[: MAX_WARNING - 3]}..."
    if len(shown) < len(told):
        yield f"and {len(told) - len(shown)} more warnings; `sluice check` lists them"
