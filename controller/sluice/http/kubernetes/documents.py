"""The documents about the server itself: made once, on the first request, and sent as bytes from then on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson
from starlette.responses import Response

from sluice.http.kubernetes import discovery, openapi
from sluice.http.kubernetes.answers import answer
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.errors import no_such_path
from sluice.http.kubernetes.negotiation import JSON, Form, forms_of
from sluice.ports.store import Obj


@dataclass(frozen=True, slots=True)
class Documents:
    """Answers for every path that names no object."""

    catalog: Catalog
    _made: dict[tuple[str, Form], bytes] = field(default_factory=dict)
    _openapi: dict[str, bytes] = field(default_factory=dict)

    def respond(self, path: str, accept: str, known_etag: str) -> Response:
        """The document at ``path``; 304 when the client has it, 404 when there is none."""
        if path == "/openapi/v2":
            # No more is asked of it than to be there: kubectl up to 1.28 looks whether it can be read.
            return answer(b"", media_type=openapi.V2_PROTOBUF)
        if path.startswith("/openapi/v3"):
            return self._openapi_at(path.removeprefix("/openapi/v3").strip("/"))
        aggregated = next((form for form in forms_of(accept) if discovery.wants_aggregated(form)), None)
        if path in {"/api", "/apis"} and aggregated is not None:
            return self._aggregated(path, aggregated, known_etag)
        return answer(self._kept(path, Form(), lambda: self._plain(path)))

    def _aggregated(self, path: str, form: Form, known_etag: str) -> Response:
        core = path == "/api"
        body = self._kept(path, form, lambda: discovery.aggregated(self.catalog, core=core, form=form))
        etag = f'"{hashlib.sha256(body).hexdigest()[:32].upper()}"'
        media_type = f"{JSON};g={form.group};v={form.version};as={form.kind}"
        response = Response(status_code=304) if known_etag == etag else answer(body, media_type=media_type)
        response.headers.update({"etag": etag, "vary": "Accept", "cache-control": "public"})
        return response

    def _plain(self, path: str) -> Obj:
        parts = path.strip("/").split("/")
        match parts:
            case ["version"]:
                return discovery.version()
            case ["api"]:
                return discovery.core_versions()
            case ["apis"]:
                return discovery.groups(self.catalog)
            case ["api", version]:
                found = discovery.resource_list(version, self.catalog)
            case ["apis", name]:
                found = discovery.group(name, self.catalog)
            case ["apis", name, version]:
                found = discovery.resource_list(f"{name}/{version}", self.catalog)
            case _:
                found = None
        if found is None:
            raise no_such_path()
        return found

    def _openapi_at(self, path: str) -> Response:
        if not self._openapi:
            self._openapi.update(openapi.documents(self.catalog))
        if not path:
            return answer(openapi.index(self._openapi))
        if path not in self._openapi:
            raise no_such_path()
        return answer(self._openapi[path])

    def _kept(self, path: str, form: Form, make: Callable[[], Obj]) -> bytes:
        made = self._made.get((path, form))
        if made is None:
            made = self._made[path, form] = orjson.dumps(make())
        return made
