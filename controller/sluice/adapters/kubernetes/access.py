"""Who asks the controller, and whether they may: the API server's answer to both, so that a right is granted once."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

import orjson

from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import KindInfo
from sluice.domain.launching.pods import AUDIENCE
from sluice.ports.store import Actor

REMEMBERED: Final = 10_000
TOKENS_S: Final = 60.0
"""For how long an answer about a token counts."""
RIGHTS_S: Final = 10.0
"""For how long an answer about a right counts."""

_TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
_RIGHTS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Answers of the last seconds, at most ``REMEMBERED``. Any thread may use it."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._known: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The answer, unless there is none, or it is too old."""
        with self._lock:
            known = self._known.get(key)
        return known[1] if known is not None and self._monotonic() - known[0] < self._seconds else None

    def put(self, key: K, answer: V) -> None:
        """Remember an answer."""
        with self._lock:
            self._known[key] = (self._monotonic(), answer)
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


class ReviewedTokens:
    """Knows tokens of audience ``sluice``, by TokenReview. Asking may block, and raises the errors of the port."""

    def __init__(self, transport: Transport, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._recent: Recent[bytes, Actor] = Recent(TOKENS_S, monotonic)

    def authenticate(self, token: str) -> Actor | None:
        """The actor that holds ``token``, or None."""
        key = digest_of(token)
        known = self._recent.get(key)
        if known is not None:
            return known
        status = token_review(self._transport, token)
        user = status.get("user") or {}
        if not status.get("authenticated") or AUDIENCE not in (status.get("audiences") or ()):
            return None
        actor = Actor(str(user.get("username", "")), tuple(user.get("groups") or ()))
        self._recent.put(key, actor)
        return actor


class ReviewedRights:
    """Knows what an actor may do, by SubjectAccessReview. Asking may block, and raises the errors of the port."""

    def __init__(self, transport: Transport, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._recent: Recent[tuple[Actor, str, str, str], bool] = Recent(RIGHTS_S, monotonic)

    def allows(self, actor: Actor, verb: str, kind: KindInfo, namespace: str) -> bool:
        """Whether RBAC, or whatever the cluster has, allows it."""
        key = (actor, verb, kind.resource, namespace)
        known = self._recent.get(key)
        if known is not None:
            return known
        asked = {
            "user": actor.user,
            "groups": list(actor.groups),
            "resourceAttributes": {
                "group": kind.group,
                "resource": kind.plural,
                "verb": verb,
                "namespace": namespace,
            },
        }
        allowed = bool(_asked(self._transport, _RIGHTS, "SubjectAccessReview", asked).get("allowed"))
        self._recent.put(key, allowed)
        return allowed


def digest_of(token: str) -> bytes:
    """What a token is remembered by."""
    return hashlib.sha256(token.encode()).digest()


def token_review(transport: Transport, token: str) -> dict[str, Any]:
    """What the API server says of a token for us: the status of a TokenReview."""
    return _asked(transport, _TOKENS, "TokenReview", {"token": token, "audiences": [AUDIENCE]})


def _asked(transport: Transport, path: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The status of a review."""
    group = path.split("/")[2]
    review = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
    status: dict[str, Any] = orjson.loads(transport.review(path, orjson.dumps(review))).get("status") or {}
    return status
