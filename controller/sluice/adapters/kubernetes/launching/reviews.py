"""Whose token is it: the API server's answer, once for each token."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sluice.adapters.kubernetes.transport import Transport
from sluice.domain.launching.pods import AUDIENCE

REMEMBERED: Final = 10_000
TRUSTED_S: Final = 300.0
"""For how long an answer counts: a runner whose connection broke comes back with the token it had."""

_PATH = "/apis/authentication.k8s.io/v1/tokenreviews"
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """The pod that a token is bound to, as the API server vouches for it."""

    namespace: str
    account: str
    name: str
    uid: str


class TokenReviewer:
    """Asks the API server of the cluster in which the tokens' pods run."""

    def __init__(self, transport: Transport, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._monotonic = monotonic
        self._known: OrderedDict[bytes, tuple[float, PodIdentity]] = OrderedDict()
        self._lock = threading.Lock()

    def identify(self, token: str) -> PodIdentity | None:
        """The token's pod; None for a token that is not good, not for us, or bound to no pod. May block for a while."""
        key = hashlib.sha256(token.encode()).digest()
        with self._lock:
            known = self._known.get(key)
        if known is not None and self._monotonic() - known[0] < TRUSTED_S:
            return known[1]
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [AUDIENCE]},
        }
        identity = pod_identity(orjson.loads(self._transport.review(_PATH, orjson.dumps(review))).get("status") or {})
        if identity is not None:
            with self._lock:
                self._known[key] = (self._monotonic(), identity)
                self._known.move_to_end(key)
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return identity


def pod_identity(status: dict[str, Any]) -> PodIdentity | None:
    """What a TokenReview's status says: the pod, or None where it vouches for none."""
    if not status.get("authenticated") or AUDIENCE not in (status.get("audiences") or ()):
        return None
    user = status.get("user") or {}
    extra, name = user.get("extra") or {}, str(user.get("username", ""))
    pod = extra.get("authentication.kubernetes.io/pod-name") or [""]
    uid = extra.get("authentication.kubernetes.io/pod-uid") or [""]
    namespace, _, account = name.removeprefix(_ACCOUNT).partition(":")
    if not name.startswith(_ACCOUNT) or not (namespace and account and pod[0] and uid[0]):
        return None
    return PodIdentity(namespace, account, pod[0], uid[0])
