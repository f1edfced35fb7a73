"""Whatever is asked of an API server is counted once, with how it ended."""

from __future__ import annotations

import socket

import pytest

from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.requests import Requests
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.api.kinds import ROLLOUT
from sluice.ports.errors import Fenced, NotFound, Unavailable
from sluice.ports.store import Ref
from tests.adapters.kubernetes.scripted import Answer, refused, scripted
from tests.contracts.store.builders import rollout

REF = Ref(ROLLOUT, "team", "support")
GOOD = Answer(body=rollout("team"))
BUSY = refused(429, "TooManyRequests")


def counted(requests: Requests) -> dict[tuple[str, ...], int]:
    return dict(requests.counts.all())


def test_each_try_is_counted_with_its_verb_and_answer() -> None:
    with scripted(BUSY, GOOD, refused(404, "NotFound")) as server:
        transport = Transport(Token(server.url, "secret"), Limits(longest_pause_s=0.0))
        store = KubernetesStore(transport)
        store.create(rollout("team"))
        with pytest.raises(NotFound):
            store.get(REF)
        store.close()
    assert counted(transport.requests) == {("POST", "429"): 1, ("POST", "200"): 1, ("GET", "404"): 1}
    assert {verb: durations.buckets()[-1][1] for verb, durations in transport.requests.durations()} == {
        "GET": 1,
        "POST": 2,
    }


def test_a_server_that_is_not_there_is_counted_as_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        store = KubernetesStore(transport := Transport(Token(url, "secret")))
        with pytest.raises(Unavailable):
            store.get(REF)
        store.close()
    assert counted(transport.requests) == {("GET", "<error>"): 1}


def test_what_was_held_back_is_not_counted() -> None:
    with scripted(GOOD) as server:
        transport = Transport(Token(server.url, "secret"), may_write=lambda: False)
        with pytest.raises(Fenced):
            KubernetesStore(transport).create(rollout("team"))
        transport.close()
    assert counted(transport.requests) == {}


def test_the_time_for_which_the_pace_holds_requests_back_is_told() -> None:
    with scripted(GOOD) as server:
        transport = Transport(Token(server.url, "secret"), Limits(qps=20.0, burst=1))
        store = KubernetesStore(transport)
        for _ in range(3):
            store.get(REF)
        store.close()
    assert 0 < transport.requests.paced_seconds < 20


def test_several_transports_share_their_counts() -> None:
    requests = Requests()
    with scripted(GOOD) as server:
        for _ in range(2):
            transport = Transport(Token(server.url, "secret"), requests=requests)
            KubernetesStore(transport).get(REF)
            transport.close()
    assert counted(requests) == {("GET", "200"): 2}
