"""Where to go after each kind of failure, how soon, and when not at all."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.runner.dialling import LONGEST, Dialling, Failure, Lost, Refused, Try, Unreached, is_address
from sluice.runner.endings import Ending, ExitCode

HOME, LEADER = "https://sluice-controller.sluice-system.svc:8443", "https://10.1.2.3:8443"


def dialling(chance: float = 1.0) -> Dialling:
    return Dialling(HOME, patience=300, chance=lambda: chance)


AFTERWARDS: list[tuple[Failure, str, float]] = [
    (Unreached("connection refused"), HOME, 0.2),
    (Lost(1006, ""), HOME, 0.2),
    (Lost(1000, ""), HOME, 0.2),
    (Lost(1001, ""), HOME, 0.2),
    (Lost(1011, ""), HOME, 0.2),
    (Lost(1013, "the ledger can't write now"), HOME, 0.2),
    (Lost(4000, "the pod has connected anew"), HOME, 0.2),
    (Lost(1012, "service restart"), HOME, 1.0),
    (Refused(400), HOME, 0.2),
    (Refused(401), HOME, 0.2),
    (Refused(404), HOME, 0.2),
    (Refused(302), HOME, 0.2),
    (Refused(408), HOME, 0.2),
    (Refused(500), HOME, 0.2),
    (Refused(502), HOME, 0.2),
    (Refused(421, leader=LEADER), LEADER, 0.0),
    (Refused(421), HOME, 1.5),
    (Refused(421, leader="http://10.1.2.3:8443"), HOME, 1.5),
    (Refused(421, leader="nonsense"), HOME, 1.5),
    (Refused(429, retry_after="7"), HOME, 8.0),
    (Refused(503, retry_after="7"), HOME, 8.0),
    (Refused(503, retry_after="86400"), HOME, 61.0),
    (Refused(503, retry_after="tomorrow"), HOME, 0.2),
    (Refused(503), HOME, 0.2),
]
ENDS: list[tuple[Failure, str]] = [
    (Refused(403), "not this pod's"),
    (Refused(409), "another pod or epoch"),
    (Lost(1009, "over size limit"), "over size limit"),
    (Lost(1008, "events that make no sense"), "events that make no sense"),
]


@pytest.mark.parametrize(("failure", "url", "after"), AFTERWARDS, ids=[str(case[0]) for case in AFTERWARDS])
def test_where_to_and_when_at_the_latest(failure: Failure, url: str, after: float) -> None:
    assert dialling().failed(failure, 0) == Try(url, pytest.approx(after))


@pytest.mark.parametrize(("failure", "why"), ENDS, ids=[str(case[0]) for case in ENDS])
def test_what_is_no_use_to_try_again(failure: Failure, why: str) -> None:
    ending = dialling().failed(failure, 0)
    assert isinstance(ending, Ending)
    assert ending.code == ExitCode.REFUSED
    assert why in ending.message


def test_a_segment_that_is_over_is_a_good_end() -> None:
    assert dialling().failed(Refused(410), 0) == Ending(ExitCode.OVER, "the segment is over (HTTP 410)")


def test_pauses_grow_to_a_quarter_of_a_minute_and_begin_anew_once_the_controller_was_heard() -> None:
    dial = dialling()
    pauses = [dial.failed(Unreached("no"), 0) for _ in range(9)]
    assert pauses == [Try(HOME, pytest.approx(pause)) for pause in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0, 15.0)]
    dial.heard()
    assert dial.failed(Unreached("no"), 0) == Try(HOME, pytest.approx(0.2))


def test_half_of_a_pause_is_chance() -> None:
    assert dialling(chance=0.0).failed(Unreached("no"), 0) == Try(HOME, pytest.approx(0.1))


@pytest.mark.parametrize("status", [401, 404, 400, 301])
def test_a_refusal_that_may_be_a_matter_of_time_is_borne_for_five_minutes(status: int) -> None:
    dial = dialling()
    assert all(isinstance(dial.failed(Refused(status), now), Try) for now in range(0, 300, 10))
    ending = dial.failed(Refused(status), 300)
    assert isinstance(ending, Ending)
    assert ending.code == ExitCode.REFUSED


@pytest.mark.parametrize("between", [Unreached("no"), Lost(1006, ""), Refused(503)])
def test_what_came_before_an_outage_does_not_count(between: Failure) -> None:
    dial = dialling()
    dial.failed(Refused(404), 0)
    dial.failed(between, 200)
    assert isinstance(dial.failed(Refused(404), 400), Try)


def test_a_way_over_a_leader_that_does_not_know_the_segment_counts() -> None:
    """The address of home leads to the leader, who answers 404: that is one answer, given again and again."""
    dial = dialling()
    for now in range(0, 300, 10):
        dial.failed(Refused(421, leader=LEADER), now)
        assert isinstance(dial.failed(Refused(404), now), Try)
    assert isinstance(dial.failed(Refused(404), 300), Ending)


def test_two_that_name_each_other_as_leader_are_not_asked_without_a_pause() -> None:
    dial = dialling()
    pauses = [dial.failed(Refused(421, leader=LEADER), 0) for _ in range(6)]
    assert [pause.after for pause in pauses if isinstance(pause, Try)] == pytest.approx([0, 0, 0, 0.2, 0.4, 0.8])


def test_after_a_failure_at_the_leader_home_is_asked_again() -> None:
    dial = dialling()
    dial.failed(Refused(421, leader=LEADER), 0)
    following = dial.failed(Unreached("no route"), 0)
    assert isinstance(following, Try)
    assert following.url == HOME


FAILURES = st.one_of(
    st.builds(Unreached, st.just("no")),
    st.builds(Lost, st.sampled_from([1000, 1001, 1006, 1011, 1012, 4000]), st.just("")),
    st.builds(
        Refused, st.integers(300, 599), st.sampled_from(["", LEADER, "x"]), st.sampled_from(["", "5", "x", "999"])
    ),
)


@settings(deadline=None)
@given(st.lists(FAILURES, max_size=40), st.floats(0, 1))
def test_whatever_happens_pauses_are_bounded_and_only_three_in_a_row_are_none(
    failures: list[Failure], chance: float
) -> None:
    dial = dialling(chance)
    pauses = []
    for now, failure in enumerate(failures):
        following = dial.failed(failure, now)
        if isinstance(following, Ending):
            return
        pauses.append(following.after)
    assert all(0 <= pause <= max(LONGEST, 61) for pause in pauses)
    zeros = [len(list(run)) for is_zero, run in itertools.groupby(pause == 0 for pause in pauses) if is_zero]
    assert chance == 0 or max(zeros, default=0) <= 3


@pytest.mark.parametrize(
    ("url", "good"),
    [
        (HOME, True), (LEADER, True), ("https://[fd00::1]:8443", True), ("https://h", True), ("https://h/", True),
        ("http://h:1", False), ("h:1", False), ("https://", False), ("https://h:port", False), ("https://h:99999", False),
        ("https://h/path", False), ("https://h?q=1", False), ("https://u:p@h", False), ("https://[::1", False), ("", False),
    ],
)  # fmt: skip
def test_what_an_address_is(url: str, good: bool) -> None:
    assert is_address(url) is good
