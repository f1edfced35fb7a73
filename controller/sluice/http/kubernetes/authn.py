"""Who asks, and whether they may: bearer tokens to actors, actors to permissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import HTTPConnection

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.errors import Refused, forbidden, unauthorized
from sluice.ports.store import Actor

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Authenticator(Protocol):
    """Knows the tokens that were given out."""

    def authenticate(self, token: str) -> Actor | None:
        """The actor that holds ``token``, or None. Where it is called on the event loop it must be quick."""


class Authorizer(Protocol):
    """Knows what each actor may do."""

    def allows(self, actor: Actor, verb: str, kind: KindInfo, namespace: str) -> bool:
        """Whether ``actor`` may ``verb`` (get, list, watch, create, update, patch, delete, deletecollection) objects
        of ``kind`` in ``namespace``; empty means in all namespaces, or of a kind without them. Must be quick."""


class AllowAll:
    """Everybody who is known may do everything."""

    def allows(self, actor: Actor, verb: str, kind: KindInfo, namespace: str) -> bool:  # noqa: ARG002
        """Always true."""
        return True


@dataclass(frozen=True, slots=True)
class Access:
    """How requests become actors. ``anonymous`` is who asks without a token; None refuses these requests.

    With an ``anonymous`` actor the server is open to every program on the machine, a web browser among them. So such
    requests must come from this machine, name a loopback host (a name that an attacker's DNS points here is none), and
    be from no other origin.
    """

    authenticator: Authenticator | None = None
    authorizer: Authorizer = field(default_factory=AllowAll)
    anonymous: Actor | None = None
    header: str = "authorization"
    """What the token stands in: a proxy on the way may keep that header for itself."""
    local: bool = True
    """Only this machine's own requests are anonymous. False where what is served may be read by whoever reaches it."""

    def actor_of(self, request: HTTPConnection) -> Actor:
        """The actor behind a request; 401 or 403 when there is none."""
        headers = request.headers
        if "impersonate-user" in headers:
            raise Refused(403, "Forbidden", "impersonation is not supported: use a token of that user instead")
        scheme, _, token = headers.get(self.header, "").partition(" ")
        if self.authenticator is not None and scheme.lower() == "bearer":
            actor = self.authenticator.authenticate(token.strip())
            if actor is None:
                raise unauthorized()
            return actor
        if self.anonymous is None:
            raise unauthorized()
        if self.local:
            _require_local(request)
        return self.anonymous

    def require(self, actor: Actor, verb: str, kind: KindInfo, *, namespace: str = "", name: str = "") -> None:
        """403 in Kubernetes' words unless ``actor`` may do this."""
        if not self.authorizer.allows(actor, verb, kind, namespace):
            raise forbidden(actor, verb, kind, namespace=namespace, name=name)


def _require_local(request: HTTPConnection) -> None:
    """403 unless the request is this machine's own; a socket in the file system has no client address."""
    if request.client is not None and request.client.host not in _LOOPBACK:
        raise Refused(403, "Forbidden", f"requests from {request.client.host} need a token")
    host = request.headers.get("host", "")
    if _host_name(host) not in _LOOPBACK:
        raise Refused(403, "Forbidden", f'the host "{host}" needs a token: without one only localhost is answered')
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        raise Refused(403, "Forbidden", f'pages of "{origin}" may not use this server without a token')


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
