"""Of several controllers only the leader writes; all of them read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.api.kinds import ROLLOUT
from sluice.ports.errors import Fenced, Unavailable
from sluice.ports.store import Ref
from tests.adapters.kubernetes.scripted import Answer, Scripted, refused, scripted
from tests.contracts.store.builders import rollout

REF = Ref(ROLLOUT, "team", "support")
GOOD = Answer(body=rollout("team"))
BUSY = Answer(429, {"kind": "Status", "code": 429, "reason": "TooManyRequests"}, {"Retry-After": "0"})
WRITES: dict[str, Callable[[KubernetesStore], object]] = {
    "create": lambda store: store.create(rollout("team")),
    "update": lambda store: store.update(rollout("team")),
    "update_status": lambda store: store.update_status(rollout("team")),
    "patch": lambda store: store.patch(REF, {"spec": {"percent": 1}}),
    "apply": lambda store: store.apply(rollout("team"), manager="sluice"),
    "delete": lambda store: store.delete(REF),
}


def gated(server: Scripted, *says: bool, limits: Limits | None = None) -> Transport:
    """A transport whose gate says this, one after the other, the last one for ever."""
    left = list(says)
    return Transport(Token(server.url, ""), limits, may_write=lambda: left.pop(0) if len(left) > 1 else left[0])


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_who_is_not_the_leader_writes_nothing(write: Callable[[KubernetesStore], object]) -> None:
    with scripted(GOOD) as server:
        store = KubernetesStore(gated(server, False))
        with pytest.raises(Fenced, match=r"rollouts.*not the leader any more; nothing was written"):
            write(store)
        store.close()
    assert not server.asked


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_the_leader_writes(write: Callable[[KubernetesStore], object]) -> None:
    with scripted(GOOD) as server:
        store = KubernetesStore(gated(server, True))
        write(store)
        store.close()
    assert len(server.asked) == 1


def test_who_is_not_the_leader_reads() -> None:
    with scripted(GOOD) as server:
        store = KubernetesStore(gated(server, False))
        assert store.get(REF)["kind"] == "Rollout"
        store.close()


def test_a_leader_that_is_deposed_while_the_server_has_no_time_does_not_try_again() -> None:
    with scripted(BUSY, GOOD) as server:
        store = KubernetesStore(gated(server, True, False))
        with pytest.raises(Fenced):
            store.create(rollout("team"))
        store.close()
    assert len(server.asked) == 1


def test_a_leader_that_is_deposed_while_its_credential_is_renewed_does_not_try_again() -> None:
    with scripted(refused(401, "Unauthorized"), GOOD) as server:
        store = KubernetesStore(gated(server, True, False))
        with pytest.raises(Fenced):
            store.create(rollout("team"))
        store.close()
    assert len(server.asked) == 1


def test_a_review_is_no_write() -> None:
    """Who serves requests asks who sent them, leader or not."""
    with scripted(Answer(body={"status": {"authenticated": True}})) as server:
        transport = gated(server, False)
        assert b"authenticated" in transport.review("/apis/authentication.k8s.io/v1/tokenreviews", b"{}")
        transport.close()
    assert [(asked.method, asked.body) for asked in server.asked] == [("POST", b"{}")]


def test_a_review_is_sent_again_as_reads_are() -> None:
    again = (Answer(then="break"), refused(503, "ServiceUnavailable"), Answer(body={}))
    with scripted(*again) as server:
        transport = gated(server, False)
        assert transport.review("/apis/authentication.k8s.io/v1/tokenreviews", b"{}") == b"{}"
        transport.close()
    assert len(server.asked) == 3


def test_a_review_is_not_asked_for_ever() -> None:
    with scripted(BUSY) as server:
        transport = gated(server, False, limits=Limits(attempts=2))
        with pytest.raises(Unavailable):
            transport.review("/apis/authentication.k8s.io/v1/tokenreviews", b"{}")
        transport.close()
    assert len(server.asked) == 2
