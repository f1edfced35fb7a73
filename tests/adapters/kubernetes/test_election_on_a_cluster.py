"""Electors on a real API server, each with connections of its own and the times that controllers have."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from sluice.adapters.kubernetes.candidacy import Standing
from sluice.adapters.kubernetes.credentials import Credentials, Server, from_kubeconfig
from sluice.adapters.kubernetes.election import ELECTION_LIMITS, Elector
from sluice.adapters.kubernetes.leases import LeaseName
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import CONFIG_MAP, NAMESPACE
from sluice.ports.errors import Fenced, NotFound, Unavailable
from sluice.ports.leadership import Holder
from sluice.ports.store import Ref
from tests.cluster.sharing import ControlPlane
from tests.contracts.store.builders import config_map, eventually, namespace_manifest

pytestmark = pytest.mark.cluster


class Line:
    """Credentials that can be cut: nothing is sent any more, as from a process that hangs or is gone."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self.is_cut = False

    def server(self) -> Server:
        return self._credentials.server()

    def authorization(self) -> str:
        if self.is_cut:
            raise Unavailable("the line is cut; nothing was written")
        return self._credentials.authorization()

    def renew(self) -> None:
        self._credentials.renew()


class Controller:
    """What one controller has: an election with a line of its own, and a store that only the leader may write to."""

    def __init__(self, plane: ControlPlane, name: LeaseName, identity: str) -> None:
        credentials = from_kubeconfig(plane.kubeconfig, plane.controller)
        self.line = Line(credentials)
        self.elected_at = self.deposed_at = 0.0
        self.is_told = threading.Event()
        self._electing = KubernetesStore(Transport(self.line, ELECTION_LIMITS))
        self.elector = Elector(self._electing, name, standing=Standing(identity, f"https://{identity}:8443"))
        self.store = KubernetesStore(Transport(credentials, may_write=self.elector.is_leading))

    def start(self) -> None:
        self.elector.start(self._elected, self._deposed)

    def stop(self) -> None:
        self.elector.release()
        self._electing.close()
        self.store.close()

    def _elected(self, term: int) -> None:
        self.elected_at = time.monotonic()
        self.is_told.set()

    def _deposed(self, term: int) -> None:
        self.deposed_at = time.monotonic()


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    store = KubernetesStore(Transport(from_kubeconfig(control_plane.kubeconfig, control_plane.controller)))
    name = f"election-{uuid.uuid4().hex[:12]}"
    store.create(namespace_manifest(name))
    yield name
    store.delete(Ref(NAMESPACE, "", name))
    store.close()


@pytest.fixture
def joined(control_plane: ControlPlane, namespace: str) -> Iterator[Callable[[str], Controller]]:
    """Starts a controller."""
    with ExitStack() as ends:

        def make(identity: str) -> Controller:
            controller = Controller(control_plane, LeaseName(namespace), identity)
            ends.callback(controller.stop)
            controller.start()
            return controller

        yield make


def stand_by(joined: Callable[[str], Controller], leader: Controller, identity: str) -> Controller:
    controller = joined(identity)
    eventually(lambda: controller.elector.holder() == leader.elector.holder() is not None, "it knows the leader")
    return controller


def first(joined: Callable[[str], Controller]) -> Controller:
    controller = joined("a")
    assert controller.is_told.wait(20)
    return controller


def test_a_clean_hand_over_takes_less_than_two_seconds(joined: Callable[[str], Controller]) -> None:
    a = first(joined)
    b = stand_by(joined, a, "b")
    began = time.monotonic()
    a.elector.release()
    assert b.is_told.wait(20)
    print(f"handed over in {b.elected_at - began:.3f} s")
    assert b.elected_at - began < 2
    assert (a.elector.term, b.elector.term) == (0, 2)


def test_a_leader_that_is_gone_is_succeeded_within_17_seconds_and_writes_nothing_any_more(
    joined: Callable[[str], Controller], namespace: str
) -> None:
    a = first(joined)
    b = stand_by(joined, a, "b")
    a.store.create(config_map(namespace, "before"))
    with pytest.raises(Fenced, match="not the leader"):
        b.store.create(config_map(namespace, "by-a-standby"))

    a.line.is_cut = True
    began = time.monotonic()
    assert b.is_told.wait(30)

    print(f"deposed after {a.deposed_at - began:.3f} s, succeeded after {b.elected_at - began:.3f} s")
    assert b.elected_at - began < 17
    assert began < a.deposed_at < b.elected_at
    with pytest.raises(Fenced, match="not the leader any more; nothing was written"):
        a.store.create(config_map(namespace, "too-late"))
    with pytest.raises(NotFound):
        a.store.get(Ref(CONFIG_MAP, namespace, "too-late"))
    b.store.create(config_map(namespace, "after"))

    a.line.is_cut = False
    eventually(lambda: a.elector.holder() == b.elector.holder(), "the old leader stands by")


def test_everybody_knows_where_runners_go(joined: Callable[[str], Controller]) -> None:
    a = first(joined)
    b = stand_by(joined, a, "b")
    holder = b.elector.holder()
    assert isinstance(holder, Holder)
    assert (holder.identity.split("_")[0], holder.runner_url) == ("a", "https://a:8443")


def test_of_five_who_start_together_one_leads(joined: Callable[[str], Controller]) -> None:
    controllers = [joined(f"c{number}") for number in range(5)]
    eventually(lambda: all(one.elector.holder() for one in controllers), "everybody knows the leader")
    assert len({one.elector.holder() for one in controllers}) == 1
    (leader,) = [one for one in controllers if one.elector.is_leading()]
    assert leader.elector.term == 1
