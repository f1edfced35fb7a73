"""The Kubernetes protocol as one ASGI application: from a request to the endpoint that answers it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sluice.api.kinds import NAMESPACE
from sluice.http.kubernetes.answers import answer, refusal
from sluice.http.kubernetes.bodies import decode, media_type_of, read_body
from sluice.http.kubernetes.deleting import delete, delete_collection
from sluice.http.kubernetes.documents import Documents
from sluice.http.kubernetes.errors import Refused, bad_request, method_not_allowed, refusal_of
from sluice.http.kubernetes.options import list_options, query_of
from sluice.http.kubernetes.paths import Target, target_of
from sluice.http.kubernetes.reading import read_list, read_object
from sluice.http.kubernetes.reviews import REVIEWS
from sluice.http.kubernetes.service import Call, Service
from sluice.http.kubernetes.watching import watch
from sluice.http.kubernetes.writing import create, patch, update
from sluice.ports.errors import PortError

Endpoint = Callable[[Call, Service], Awaitable[ASGIApp]]

_OF_COLLECTIONS = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}
_OF_OBJECTS = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

_log = logging.getLogger(__name__)


async def _list(call: Call, service: Service) -> ASGIApp:
    return await read_list(call, service, list_options(call.query))


async def _watch(call: Call, service: Service) -> ASGIApp:
    return await watch(call, service, list_options(call.query, name=call.target.name))


_ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "get": read_object,
        "list": _list,
        "watch": _watch,
        "create": create,
        "update": update,
        "patch": patch,
        "delete": delete,
        "deletecollection": delete_collection,
    }
)


class KubernetesApplication:
    """Serves ``/api``, ``/apis``, ``/openapi`` and ``/version``."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._documents = Documents(service.catalog)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong becomes a ``Status``."""
        request = Request(scope, receive)
        target: Target | None = None
        try:
            target = target_of(scope["path"], self._service.catalog)
            response = await (self._about_server(request) if target is None else self._about_objects(request, target))
        except Refused as refused:
            response = refusal(refused)
        except PortError as error:
            response = refusal(self._refusal_of(error, target))
        except ClientDisconnect:
            return
        except RecursionError:
            response = refusal(
                bad_request("the body nests too deeply: no object of this server needs that many levels")
            )
        except Exception:
            _log.exception("%s %s failed", request.method, scope["path"])
            response = refusal(Refused(500, "InternalError", "an error on the server: its log says more"))
        await response(scope, receive, send)

    async def _about_objects(self, request: Request, target: Target) -> ASGIApp:
        actor = self._service.access.actor_of(request)
        query = query_of(request.scope["query_string"])
        verb = _verb_of(request.method, target, query)
        namespace = target.name if target.resource.kind == NAMESPACE else target.namespace
        self._service.access.require(actor, verb, target.resource.kind, namespace=namespace, name=target.name)
        return await _ENDPOINTS[verb](Call(request, target, actor, query), self._service)

    async def _about_server(self, request: Request) -> ASGIApp:
        path = request.scope["path"].rstrip("/")
        review = REVIEWS.get(_api_version_and_plural(path))
        actor = self._service.access.actor_of(request)
        if review is None:
            if request.method not in {"GET", "HEAD"}:
                raise method_not_allowed("GET, HEAD")
            headers = request.headers
            return self._documents.respond(path, headers.get("accept", ""), headers.get("if-none-match", ""))
        if request.method != "POST":
            raise method_not_allowed("POST")
        body = await read_body(request)
        given = (await self._service.threads.run(decode, body, media_type_of(request))).content
        if not isinstance(given, dict):
            raise bad_request("the body must be an object")
        kind, decide = review
        status = decide(given, actor, self._service.access, self._service.catalog)
        api_version, _ = _api_version_and_plural(path)
        told = {"kind": kind, "apiVersion": api_version, "metadata": {"creationTimestamp": None}}
        return answer({**told, "spec": given.get("spec") or {}, "status": status}, code=201)

    def _refusal_of(self, error: PortError, target: Target | None) -> Refused:
        if target is None:
            return Refused(error.code, error.reason, str(error))
        return refusal_of(error, target.resource.kind, target.name)


def _verb_of(method: str, target: Target, query: Mapping[str, str]) -> str:
    """What the request is about, in the word that permissions use."""
    verbs = _OF_OBJECTS if target.name else _OF_COLLECTIONS
    served = {each: verb for each, verb in verbs.items() if _is_served(verb, target)}
    if method not in served:
        raise method_not_allowed(", ".join(served))
    verb = served[method]
    if verb in {"get", "list"} and not target.subresource and query.get("watch") in {"true", "1"}:
        return "watch"
    return verb


def _is_served(verb: str, target: Target) -> bool:
    if verb not in target.resource.verbs:
        return False
    if target.subresource == "status":
        return verb in {"get", "update", "patch"}
    if target.subresource == "finalize":
        return verb == "update"
    return not target.spans_namespaces or verb == "list"


def _api_version_and_plural(path: str) -> tuple[str, str]:
    api_version, _, plural = path.removeprefix("/apis/").rpartition("/")
    return api_version, plural
