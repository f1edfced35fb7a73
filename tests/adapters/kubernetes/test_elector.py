"""Whole electors, with their threads, on one store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sluice.adapters.kubernetes.candidacy import Standing, Times
from sluice.adapters.kubernetes.election import Elector
from sluice.adapters.kubernetes.leases import read
from sluice.adapters.sqlite.store import SqliteStore
from sluice.ports.errors import Unavailable
from sluice.ports.store import Obj, Selector, Watch
from tests.adapters.kubernetes.elections import NAME
from tests.adapters.sqlite.stores import Opened
from tests.contracts.store.builders import eventually

QUICK = Times(1.2, 0.8, 0.1)
"""For what happens when time runs out."""
BRISK = Times(60.0, 40.0, 0.05)
"""For what a machine that is busy must not turn into a deposition."""
PATIENT = Times(60.0, 40.0, 20.0)
"""So long that whatever happens soon does not happen by waiting."""


class Network:
    """The store as one elector reaches it; ``is_away`` cuts it off."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.is_away = False
        self.asked = 0

    def __getattr__(self, name: str) -> object:
        self.asked += 1
        if self.is_away:
            raise Unavailable("the network is away; nothing was written")
        return getattr(self._store, name)


class Process:
    """An elector and what it was told, in order. ``at_election`` runs in its callback."""

    def __init__(self, store: SqliteStore, name: str, times: Times) -> None:
        self.network = Network(store)
        self.told: list[tuple[str, int]] = []
        self.at_election = lambda: None
        self.elector = Elector(self.network, NAME, standing=Standing(name, f"https://{name}"), times=times)  # type: ignore[arg-type]

    def start(self) -> None:
        self.elector.start(self._elected, lambda term: self.told.append(("deposed", term)))

    def _elected(self, term: int) -> None:
        self.told.append(("elected", term))
        self.at_election()


class Place:
    def __init__(self, store: SqliteStore, ends: ExitStack) -> None:
        self.store = store
        self._ends = ends

    def process(self, name: str, times: Times = BRISK) -> Process:
        made = Process(self.store, name, times)
        self._ends.callback(made.elector.release)
        return made

    def started(self, name: str, times: Times = BRISK) -> Process:
        made = self.process(name, times)
        made.start()
        return made

    @property
    def lease(self) -> Obj:
        return self.store.get(NAME.ref)


@pytest.fixture
def place() -> Iterator[Place]:
    with Opened() as opened, ExitStack() as ends:
        yield Place(opened.store, ends)


def test_one_of_three_leads_and_all_know_which(place: Place) -> None:
    processes = [place.started(name) for name in "abc"]
    eventually(lambda: any(one.told for one in processes), "an election")
    (leader,) = [one for one in processes if one.elector.is_leading()]
    eventually(lambda: all(one.elector.holder() for one in processes), "everybody knows")
    holders = {one.elector.holder() for one in processes}
    assert len(holders) == 1
    assert leader.told == [("elected", 1)]
    assert leader.elector.term == 1
    assert [one.told for one in processes if one is not leader] == [[], []]


def test_a_leadership_is_kept_up(place: Place) -> None:
    a = place.started("a")
    eventually(lambda: a.told == [("elected", 1)], "an election")
    first = place.lease["spec"]["renewTime"]
    eventually(lambda: place.lease["spec"]["renewTime"] != first, "a renewal")
    assert a.elector.is_leading()


def test_a_released_lease_is_taken_over_at_once(place: Place) -> None:
    a = place.started("a", PATIENT)
    eventually(lambda: a.told == [("elected", 1)], "an election")
    b = place.started("b", PATIENT)
    eventually(lambda: b.elector.holder() is not None, "b stands by")
    a.elector.release()
    assert not a.elector.is_leading()
    eventually(lambda: b.told == [("elected", 2)], "b takes over")
    assert a.told == [("elected", 1)]


def test_a_leader_without_a_store_is_deposed_and_succeeded(place: Place) -> None:
    a = place.started("a", QUICK)
    eventually(lambda: bool(a.told), "an election")
    b = place.started("b", BRISK)
    a.network.is_away = True
    eventually(lambda: a.told[-1][0] == "deposed", "a notices")
    assert not b.elector.is_leading()
    place.store.patch(NAME.ref, {"spec": {"holderIdentity": ""}})  # for want of a minute's time
    eventually(lambda: bool(b.told), "b takes over")
    a.network.is_away = False
    eventually(lambda: a.elector.holder() == b.elector.holder(), "a stands by")
    assert a.elector.term == 0


def test_a_leader_that_comes_back_in_time_for_nobody_leads_again_in_a_new_term(place: Place) -> None:
    a = place.started("a", QUICK)
    eventually(lambda: bool(a.told), "an election")
    a.network.is_away = True
    eventually(lambda: a.told[-1][0] == "deposed", "a notices")
    over = a.told[-1][1]
    a.network.is_away = False
    eventually(lambda: ("elected", over + 1) in a.told, "a leads again")


def test_a_leadership_is_kept_up_while_a_callback_takes_its_time(place: Place) -> None:
    a, may_go_on = place.process("a"), threading.Event()
    a.at_election = lambda: may_go_on.wait(30)
    a.start()
    eventually(lambda: bool(a.told), "an election")
    first = place.lease["spec"]["renewTime"]
    eventually(lambda: place.lease["spec"]["renewTime"] > first, "a renewal")
    may_go_on.set()
    a.elector.release()
    assert a.told == [("elected", 1)]


def test_a_term_that_ends_during_its_callback_is_told_afterwards(place: Place) -> None:
    a, may_go_on = place.process("a", QUICK), threading.Event()
    a.at_election = lambda: may_go_on.wait(30)
    a.start()
    eventually(lambda: bool(a.told), "an election")
    a.network.is_away = True
    eventually(lambda: not a.elector.is_leading(), "the term is over")
    assert a.told == [("elected", 1)]
    may_go_on.set()
    eventually(lambda: a.told == [("elected", 1), ("deposed", 1)], "the end is told")


def test_who_fails_to_lead_leaves_it_to_others(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    a = place.process("a", PATIENT)

    def fail() -> None:
        raise ValueError("no ledger")

    a.at_election = fail
    a.start()
    eventually(lambda: a.told == [("elected", 1), ("deposed", 1)], "a gives up")
    eventually(lambda: not read(place.lease).holder, "the Lease is free")
    assert "no ledger" in caplog.text
    assert not a.elector.is_leading()


def test_a_callback_may_release(place: Place) -> None:
    a = place.process("a", PATIENT)
    a.at_election = a.elector.release
    a.start()
    eventually(
        lambda: bool(place.store.list(NAME.ref.kind).items) and not read(place.lease).holder, "the Lease is free"
    )
    assert a.told == [("elected", 1)]


def test_a_release_is_final_and_may_be_repeated(place: Place) -> None:
    a = place.started("a")
    eventually(lambda: bool(a.told), "an election")
    for _ in range(2):
        a.elector.release()
    assert not read(place.lease).holder
    assert (a.elector.term, a.elector.holder()) == (0, None)


def test_a_release_without_a_store_says_that_others_have_to_wait(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    a = place.started("a")
    eventually(lambda: bool(a.told), "an election")
    a.network.is_away = True
    a.elector.release()
    assert "others wait until it expires" in caplog.text


def test_an_outage_is_reported_once(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    a = place.process("a")
    a.network.is_away = True
    a.start()
    eventually(lambda: a.network.asked >= 10, "some tries")
    assert [record.message.split(":")[0] for record in caplog.records] == ["the Lease default/leader"]


def test_two_processes_of_one_name_are_two_candidates(place: Place) -> None:
    """A container that is started again in its pod waits until the one before has expired: it may still be writing."""
    first = place.started("pod", PATIENT)
    eventually(lambda: first.told == [("elected", 1)], "an election")
    again = place.started("pod", PATIENT)
    eventually(lambda: again.elector.holder() == first.elector.holder(), "the second stands by")
    assert not again.elector.is_leading()


class Blind(Network):
    """A store that may not be watched."""

    def watch(self, kind: object, namespace: str, selector: Selector) -> Watch:
        raise Unavailable("no watches today")


def test_a_standby_that_may_not_watch_takes_over_by_looking(place: Place) -> None:
    a = place.started("a")
    eventually(lambda: a.told == [("elected", 1)], "an election")
    b = place.process("b", PATIENT)
    blind = Elector(Blind(place.store), NAME, standing=Standing("b"), times=Times(60.0, 40.0, 0.05))  # type: ignore[arg-type]
    b.elector.release()
    b.elector = blind
    b.start()
    eventually(lambda: blind.holder() is not None, "b stands by")
    a.elector.release()
    eventually(lambda: b.told == [("elected", 2)], "b takes over")
    blind.release()
