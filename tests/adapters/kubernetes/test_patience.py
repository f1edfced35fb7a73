"""What the store does when a server has no time, does not answer, or does not know who asks."""

from __future__ import annotations

import os
import socket

import pytest

from sluice.adapters.kubernetes.credentials import Server, Token
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.api.kinds import ROLLOUT
from sluice.ports.errors import Forbidden, Unavailable
from sluice.ports.store import Ref
from tests.adapters.kubernetes.conftest import Open
from tests.adapters.kubernetes.scripted import Answer, refused, scripted
from tests.contracts.store.builders import rollout

REF = Ref(ROLLOUT, "team", "support")
BUSY = Answer(
    429, {"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "later"}, {"Retry-After": "0"}
)
GOOD = Answer(body=rollout("team"))


def test_a_server_without_time_is_asked_again_for_reads_and_writes(opened: Open) -> None:
    store, server = opened(BUSY, BUSY, GOOD)
    assert store.create(rollout("team"))["kind"] == "Rollout"
    assert [asked.method for asked in server.asked] == ["POST", "POST", "POST"]


def test_a_server_that_never_has_time_is_unavailable(opened: Open) -> None:
    store, server = opened(BUSY, limits=Limits(attempts=3))
    with pytest.raises(Unavailable, match="later"):
        store.get(REF)
    assert len(server.asked) == 3


def test_a_write_that_may_have_happened_is_never_sent_again(opened: Open) -> None:
    store, server = opened(refused(503, "ServiceUnavailable"), GOOD)
    with pytest.raises(Unavailable):
        store.create(rollout("team"))
    assert len(server.asked) == 1


def test_a_write_whose_answer_is_lost_is_never_sent_again(opened: Open) -> None:
    store, server = opened(Answer(then="break"), GOOD)
    with pytest.raises(Unavailable, match="whether a write happened is unknown"):
        store.create(rollout("team"))
    assert len(server.asked) == 1


def test_a_server_that_is_silent_is_unavailable(opened: Open) -> None:
    store, _ = opened(Answer(then="hold"), limits=Limits(answer_s=0.2))
    with pytest.raises(Unavailable, match="did not answer"):
        store.get(REF)


def test_a_server_that_is_not_there_has_written_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        store = KubernetesStore(Transport(Token(f"http://127.0.0.1:{taken.getsockname()[1]}", "")))
        with pytest.raises(Unavailable, match="nothing was written"):
            store.create(rollout("team"))
        store.close()


def test_a_closed_store_writes_nothing(opened: Open) -> None:
    store, server = opened(GOOD)
    store.close()
    with pytest.raises(Unavailable, match="nothing was written"):
        store.create(rollout("team"))
    assert not server.asked


class Rotated:
    """A token that is replaced when it is loaded again."""

    def __init__(self, url: str, *tokens: str) -> None:
        self._url, self._tokens = url, list(tokens)

    def server(self) -> Server:
        return Server(self._url)

    def authorization(self) -> str:
        return f"Bearer {self._tokens[0]}"

    def renew(self) -> None:
        if len(self._tokens) > 1:
            del self._tokens[0]


def test_a_refused_token_is_loaded_again_once() -> None:
    with scripted(refused(401, "Unauthorized"), GOOD) as server:
        store = KubernetesStore(Transport(Rotated(server.url, "old", "new")))
        store.create(rollout("team"))
        store.close()
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer old", "Bearer new"]


def test_a_token_that_stays_refused_is_forbidden() -> None:
    with scripted(refused(401, "Unauthorized")) as server:
        store = KubernetesStore(Transport(Rotated(server.url, "old", "new", "newest")))
        with pytest.raises(Forbidden, match="log in again"):
            store.get(REF)
        store.close()
    assert len(server.asked) == 2


def test_a_read_is_sent_again_when_its_connection_had_died(opened: Open) -> None:
    store, server = opened(Answer(then="break"), GOOD)
    assert store.get(REF)["kind"] == "Rollout"
    assert len(server.asked) == 2


def test_one_connection_serves_one_request_after_another(opened: Open) -> None:
    store, server = opened(GOOD)
    for _ in range(3):
        store.get(REF)
    assert len({asked.port for asked in server.asked}) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # which is what this is about
def test_a_forked_child_has_connections_of_its_own(opened: Open) -> None:
    store, server = opened(GOOD)
    store.get(REF)
    child = os.fork()
    if not child:
        try:
            store.get(REF)
        finally:
            os._exit(0)  # nothing of the test runner may go on in the child
    os.waitpid(child, 0)
    store.get(REF)
    ports = [asked.port for asked in server.asked]
    assert ports[0] == ports[2] != ports[1]
