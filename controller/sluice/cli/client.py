"""A small synchronous client of the Kubernetes API, for the embedded server and a cluster alike."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from copy import copy
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import orjson

from sluice import __version__
from sluice.api.kinds import KindInfo
from sluice.cli.credentials import credentials_of, impersonation_of, is_loopback, may_send_token, tls_context
from sluice.cli.failures import Broken, Failed, Refused, Unreachable
from sluice.cli.kubeconfig import Target

Obj = dict[str, Any]

PAGE = 500
"""Objects of a list that are fetched at a time."""
TIMEOUT = httpx.Timeout(60, connect=10)
ATTEMPTS = 10
"""How often one request is made while the server asks to come again later; kubectl makes as many."""
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
MAX_MANAGER = 128
EMBEDDED = "+sluice"
"""Part of the version that the embedded server gives itself."""


class Change(NamedTuple):
    """One line of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    type: str
    obj: Obj


def collection(kind: KindInfo, namespace: str) -> str:
    """The path of all objects of a kind; of all namespaces when ``namespace`` is empty."""
    root = "/api/v1" if not kind.group else f"/apis/{kind.api_version}"
    where = f"/namespaces/{quote(namespace, safe='')}" if kind.namespaced and namespace else ""
    return f"{root}{where}/{kind.plural}"


def selection(*, labels: str = "", fields: str = "") -> dict[str, str]:
    """Query parameters that choose objects."""
    given = {"labelSelector": labels, "fieldSelector": fields}
    return {name: value for name, value in given.items() if value}


class Client:
    """Speaks to one server, in one namespace unless a call says otherwise."""

    def __init__(self, target: Target) -> None:
        self._target = target
        credentials = credentials_of(target)
        headers = [("user-agent", f"sluice-cli/{__version__}"), ("accept", "application/json")]
        headers += impersonation_of(target.user)
        if credentials.token and self.is_private:
            headers.append(("authorization", f"Bearer {credentials.token}"))
        secure = target.server.startswith("https:")
        self.namespace = target.namespace
        self._extensions = {"sni_hostname": name} if (name := target.cluster.get("tls-server-name")) else {}
        self._http = httpx.Client(
            base_url=target.server,
            headers=headers,
            verify=tls_context(target, credentials) if secure else False,
            timeout=TIMEOUT,
            proxy=target.cluster.get("proxy-url"),
            trust_env=not is_loopback(target.server),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @cached_property
    def user(self) -> str:
        """Who the server says one is."""
        made = self.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=REVIEW)
        return str(made["status"]["userInfo"].get("username") or "unknown")

    @cached_property
    def is_embedded(self) -> bool:
        """Whether the server is Sluice itself, as `sluice up` starts it, and no cluster's API server."""
        try:
            return EMBEDDED in str(self.send("GET", "/version").get("gitVersion"))
        except Refused:  # some clusters tell their version to nobody
            return False

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return may_send_token(self._target.server)

    @property
    def manager(self) -> str:
        """The field manager of what a person changes by a verb: it tells who, wherever Sluice says who holds something."""
        return f"sluice-cli/{self.user}"[:MAX_MANAGER]

    def within(self, namespace: str | None) -> Client:
        """The same client in another namespace; in the same when none is named."""
        if not namespace or namespace == self.namespace:
            return self
        other = copy(self)
        other.namespace = namespace
        return other

    def get(self, kind: KindInfo, name: str) -> Obj:
        """One object; Refused with NotFound if there is none."""
        return self.send("GET", self.path(kind, name))

    def find(self, kind: KindInfo, name: str) -> Obj | None:
        """One object, or None."""
        try:
            return self.get(kind, name)
        except Refused as refused:
            if refused.code == httpx.codes.NOT_FOUND:
                return None
            raise

    def list(self, kind: KindInfo, chosen: Mapping[str, str] | None = None, *, everywhere: bool = False) -> list[Obj]:
        """All objects that are chosen, page by page."""
        items: list[Obj] = []
        query = {**(chosen or {}), "limit": str(PAGE)}
        while True:
            page = self.send("GET", collection(kind, "" if everywhere else self.namespace), query=query)
            items += [{"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in page.get("items") or []]
            query["continue"] = (page.get("metadata") or {}).get("continue") or ""
            if not query["continue"]:
                return items

    def table(
        self, kind: KindInfo, name: str = "", chosen: Mapping[str, str] | None = None, *, everywhere: bool = False
    ) -> Obj:
        """Objects as the server's own rows and columns; of one object when ``name`` is given."""
        path = self.path(kind, name) if name else collection(kind, "" if everywhere else self.namespace)
        return self.send("GET", path, query=dict(chosen or {}), headers={"accept": TABLE})

    def create(self, obj: Obj, kind: KindInfo, *, manager: str, dry_run: bool = False) -> Obj:
        """Store a new object in the object's own namespace, or this client's."""
        query = {"fieldManager": manager, "fieldValidation": "Strict"} | _dry(dry_run)
        return self.send("POST", collection(kind, self._namespace_of(obj)), query=query, body=obj)

    def patch(self, kind: KindInfo, name: str, patch: Obj, *, manager: str) -> Obj:
        """Merge ``patch`` into an object; with a resourceVersion in it, only if nobody else was faster."""
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        headers = {"content-type": "application/merge-patch+json"}
        return self.send("PATCH", self.path(kind, name), query=query, body=patch, headers=headers)

    def apply(self, obj: Obj, kind: KindInfo, *, manager: str, force: bool = False, dry_run: bool = False) -> Obj:
        """Server-side apply."""
        query = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"} | _dry(dry_run)
        headers = {"content-type": "application/apply-patch+yaml"}
        path = f"{collection(kind, self._namespace_of(obj))}/{quote(obj['metadata']['name'], safe='')}"
        return self.send("PATCH", path, query=query, body=obj, headers=headers)

    def delete(self, kind: KindInfo, name: str, *, propagation: str = "Background", dry_run: bool = False) -> Obj:
        """Delete an object; what is answered is its last state or a Status."""
        query = {"propagationPolicy": propagation} | _dry(dry_run)
        return self.send("DELETE", self.path(kind, name), query=query)

    def watch(
        self, kind: KindInfo, chosen: Mapping[str, str] | None = None, *, since: str = "", seconds: float | None = None
    ) -> Iterator[Change]:
        """Changes after ``since`` until the server ends the watch or ``seconds`` are over; Refused when it was too long ago."""
        query = {**(chosen or {}), "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since}
        if seconds is not None:
            query["timeoutSeconds"] = str(max(1, round(seconds)))
        for line in self.lines(collection(kind, self.namespace), query, seconds=seconds):
            change = orjson.loads(line)
            if change["type"] == "ERROR":
                raise Refused(change["object"], int(change["object"].get("code") or 500))
            yield Change(change["type"], change["object"])

    def lines(self, path: str, query: Mapping[str, str], *, seconds: float | None = None) -> Iterator[bytes]:
        """The lines of a plain answer as they come, without their ends; ``seconds`` is how long the server goes on."""
        request = self._http.build_request(
            "GET", path, params=query, timeout=_endless(seconds), extensions=self._extensions
        )
        with self._reaching(), closing(self._answer(request, stream=True)) as answer:
            if answer.is_error:
                answer.read()
                raise _refusal(answer)
            rest = b""
            for chunk in answer.iter_bytes():
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
            if rest:
                yield rest

    def text(
        self, path: str, query: Mapping[str, str] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> str:
        """A plain answer, which is UTF-8 but for what steps wrote otherwise."""
        plain = {"accept": "text/plain, */*", **(headers or {})}
        return self._request("GET", path, query=query or {}, headers=plain).content.decode(errors="replace")

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Obj | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Obj:
        """One request with a JSON answer; every refusal is an error with the server's own words."""
        answer = self._request(method, path, query=query or {}, body=body, headers=headers or {})
        try:
            content = orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise Failed(f"{self._target.server} is no Kubernetes API server: {path} answered no JSON") from error
        return content if isinstance(content, dict) else {"items": content}

    def path(self, kind: KindInfo, name: str) -> str:
        """The path of one object of this client's namespace."""
        return f"{collection(kind, self.namespace)}/{quote(name, safe='')}"

    def _namespace_of(self, obj: Obj) -> str:
        return str(obj["metadata"].get("namespace") or self.namespace)

    def _request(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: Obj | None = None
    ) -> httpx.Response:
        content = None if body is None else orjson.dumps(body)
        kind = {"content-type": "application/json"} if body is not None else {}
        request = self._http.build_request(
            method, path, params=query, content=content, headers={**kind, **headers}, extensions=self._extensions
        )
        with self._reaching():
            answer = self._answer(request)
        if answer.is_error:
            raise _refusal(answer)
        return answer

    def _answer(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """The server's answer. One that is busy (429, as for a kind that it has only just learnt) has done nothing yet."""
        for _ in range(ATTEMPTS - 1):
            answer = self._http.send(request, stream=stream)
            again_s = answer.headers.get("retry-after", "")
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS or not again_s.isdecimal():
                return answer
            answer.close()
            time.sleep(int(again_s))
        return self._http.send(request, stream=stream)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Say in people's words why no answer came."""
        server, origin = self._target.server, self._target.origin
        try:
            yield
        except httpx.ConnectError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Unreachable(
                    f"the certificate of {server} is not trusted: set certificate-authority in {origin} ({error})"
                ) from error
            what = (
                "start it with `sluice up`" if is_loopback(server) else "see whether it is up and reachable from here"
            )
            raise Unreachable(f"no server answers at {server} (from {origin}): {what} ({error})") from error
        except httpx.TimeoutException as error:
            raise Unreachable(f"{server} did not answer in time; try again") from error
        except httpx.HTTPError as error:
            raise Broken(f"the connection to {server} broke: {error or type(error).__name__}; try again") from error


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _endless(seconds: float | None) -> httpx.Timeout:
    """A quiet watch is no broken one; one with an end is given a little longer than that."""
    return httpx.Timeout(10, read=None if seconds is None else seconds + 10)


def _refusal(answer: httpx.Response) -> Refused:
    try:
        status = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        status = {"message": f"{answer.request.url.path}: {answer.status_code} {answer.reason_phrase}"}
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        status = {
            "reason": "Unauthorized",
            "message": "the server does not know you: the token or certificate is no (longer) valid",
        }
    return Refused(status if isinstance(status, dict) else {}, answer.status_code)
