"""Whose token is it: the pod that a token is bound to, asked once for each token."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sluice.adapters.kubernetes.access import Recent, digest_of, token_review
from sluice.adapters.kubernetes.transport import Transport
from sluice.domain.launching.pods import AUDIENCE

TRUSTED_S: Final = 300.0
"""For how long an answer counts: a runner whose connection broke comes back with the token it had."""

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
        self._recent: Recent[bytes, PodIdentity] = Recent(TRUSTED_S, monotonic)

    def identify(self, token: str) -> PodIdentity | None:
        """The token's pod; None for a token that is not good, not for us, or bound to no pod. May block for a while."""
        key = digest_of(token)
        known = self._recent.get(key)
        if known is not None:
            return known
        identity = pod_identity(token_review(self._transport, token))
        if identity is not None:
            self._recent.put(key, identity)
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
