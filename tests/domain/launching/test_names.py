"""Names of segments, and the way back from objects to segments."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.api.environment import Launch
from sluice.domain.launching.names import (
    EPOCH_LABEL,
    LONGEST,
    MANAGED_BY_LABEL,
    RUN_UID_LABEL,
    UNIT_LABEL,
    SegmentKey,
    annotations_of,
    labels_of,
    owns_pod,
    segment_name,
    segment_of,
)
from tests.domain.launching.builders import RUN, segment

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
RUN_NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("run", "unit", "epoch", "name"),
    [
        ("hello-x7k2p", "main", 1, "hello-x7k2p-0fc6290d83-1"),
        ("hello-x7k2p", "main", 2, "hello-x7k2p-0fc6290d83-2"),
        ("hello-x7k2p", "build", 1, "hello-x7k2p-4f2f092d93-1"),
        ("nightly.2026-03-01", "main", 1, "nightly-2026-03-01-0fc6290d83-1"),
        ("a" * 253, "main", 1, f"{'a' * 44}-0fc6290d83-1"),
        (f"{'a' * 43}-b", "main", 1, f"{'a' * 43}-0fc6290d83-1"),
    ],
)
def test_a_segments_name_begins_like_its_runs_and_is_always_the_same(
    run: str, unit: str, epoch: int, name: str
) -> None:
    assert segment_name(dataclasses.replace(RUN, name=run), unit, epoch) == name


@given(RUN_NAMES, st.integers(0, 10**12))
def test_a_segments_name_and_its_pods_are_labels(run: str, epoch: int) -> None:
    name = segment_name(dataclasses.replace(RUN, name=run), "main", epoch)
    assert len(name) <= LONGEST
    assert LABEL.fullmatch(name)
    assert len(f"{name}-abcde") <= 63


def test_runs_of_one_name_and_units_of_one_run_have_names_of_their_own() -> None:
    names = {
        segment_name(dataclasses.replace(RUN, uid=uid), unit, epoch)
        for uid in ("u1", "u2")
        for unit in ("main", "build")
        for epoch in (1, 2)
    }
    assert len(names) == 8


@pytest.mark.parametrize(
    ("pod", "launch", "owned"),
    [
        ("hello-0123456789-1-x7k2p", Launch.JOB, True),
        ("hello-0123456789-1", Launch.JOB, False),
        ("hello-0123456789-1-x7k2", Launch.JOB, False),
        ("hello-0123456789-1-x7k2p9", Launch.JOB, False),
        ("hello-0123456789-1-X7K2P", Launch.JOB, False),
        ("hello-0123456789-1-0-x7k2p", Launch.JOB, False),
        ("hello-0123456789-11-x7k2p", Launch.JOB, False),
        ("other-0123456789-1-x7k2p", Launch.JOB, False),
        ("hello-0123456789-1", Launch.POD, True),
        ("hello-0123456789-1-x7k2p", Launch.POD, False),
    ],
)
def test_a_pod_belongs_to_a_segment_by_its_name(pod: str, launch: Launch, owned: bool) -> None:
    assert owns_pod("hello-0123456789-1", pod, launch) is owned


def test_labels_say_whose_it_is_and_lead_back() -> None:
    labels = labels_of(segment(unit="build", epoch=7), "sluice-system")
    assert labels == {
        "app.kubernetes.io/managed-by": "sluice",
        "app.kubernetes.io/name": "sluice-runner",
        "sluice.dev/controller": "sluice-system",
        "sluice.dev/workspace": "support",
        "sluice.dev/environment": "production",
        "sluice.dev/workflow": "support-escalation",
        "sluice.dev/version": "v12",
        "sluice.dev/trigger": "webhook",
        "sluice.dev/run-uid": RUN.uid,
        "sluice.dev/unit": "build",
        "sluice.dev/epoch": "7",
    }
    assert segment_of(labels) == SegmentKey(RUN.uid, "build", 7)
    assert annotations_of(segment()) == {"sluice.dev/run": "support/support-escalation-x7k2p"}


@pytest.mark.parametrize(
    "changed",
    [
        {MANAGED_BY_LABEL: "helm"},
        {RUN_UID_LABEL: ""},
        {UNIT_LABEL: ""},
        {EPOCH_LABEL: ""},
        {EPOCH_LABEL: "one"},
        {EPOCH_LABEL: "-1"},
        {EPOCH_LABEL: "²"},
    ],
)
def test_labels_that_are_not_a_segments_lead_nowhere(changed: dict[str, str]) -> None:
    assert segment_of({**labels_of(segment(), "sluice-system"), **changed}) is None


@pytest.mark.parametrize(
    "given", [{"unit": ""}, {"unit": "a/b"}, {"unit": "a" * 64}, {"trigger": "by hand"}, {"epoch": -1}]
)
def test_a_segment_that_labels_could_not_tell_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is a label|never negative"):
        segment(**given)
