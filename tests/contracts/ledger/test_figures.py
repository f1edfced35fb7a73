"""What gates, metrics, queues and history are read from."""

from __future__ import annotations

import pytest

from sluice.domain.run.events import RUN_ENDED, Event
from sluice.ports.errors import Conflict
from sluice.ports.ledger import AuditEvent, Ledger
from tests.contracts.ledger.builders import WORKFLOW, add, admission, finish, run_ended, window
from tests.contracts.ledger.conftest import HandClock


def test_a_gate_sees_the_first_candidate_runs_of_its_window(ledger: Ledger, clock: HandClock) -> None:
    for n, phase in enumerate(["Succeeded", "Failed", "Cancelled", "Succeeded", "Failed"]):
        ledger.admit(admission(f"c{n}", hundredths=10000))
        clock.advance(seconds=1)
        finish(ledger, f"c{n}", phase)
    ledger.admit(admission("open", hundredths=10000))

    first = ledger.gate_sample(window(), 3, stable=1)
    assert (first.started, first.succeeded, first.failed, first.open_starts) == (3, 2, 1, ())
    everything = ledger.gate_sample(window(), 10, stable=1)
    assert (everything.started, everything.failed, everything.open_starts) == (5, 2, (ledger.now(),))


def test_a_gate_counts_errors_apart_and_knows_how_long_stable_takes(ledger: Ledger, clock: HandClock) -> None:
    for n in range(20):
        ledger.admit(admission(f"s{n}", hundredths=0))
        clock.advance(seconds=n + 1)
        finish(ledger, f"s{n}")
    ledger.admit(admission("broken", hundredths=10000, window=window(revision=2)))
    finish(ledger, "broken", "Error")

    sample = ledger.gate_sample(window(revision=2), 5, stable=1)
    assert (sample.started, sample.errors, sample.stable_p95) == (0, 1, 20_000_000)
    assert ledger.gate_sample(window(), 5, stable=1).stable_ended == 20


def test_metrics_cover_seven_and_thirty_days(ledger: Ledger, clock: HandClock) -> None:
    """R226 to R229."""
    for n, phase in enumerate(["Succeeded", "Failed", "Cancelled"]):
        ledger.admit(admission(f"old{n}"))
        finish(ledger, f"old{n}", phase)
    clock.advance(days=8)
    ledger.admit(admission("new"))
    finish(ledger, "new")

    figures = ledger.metrics(WORKFLOW)
    assert (figures.succeeded_30d, figures.ended_30d, figures.started_7d) == (2, 3, 1)
    assert (figures.last_run, figures.last_phase) == (ledger.now(), "Succeeded")

    clock.advance(days=31)
    later = ledger.metrics(WORKFLOW)
    assert (later.succeeded_30d, later.ended_30d, later.started_7d) == (0, 0, 0)


def test_a_rejected_run_is_history_but_no_metric(ledger: Ledger) -> None:
    rejected = Event(RUN_ENDED, "", 0, ledger.now(), {"phase": "Rejected", "reason": "Inactive"})
    ledger.reject(admission("r"), rejected)
    ledger.reject(admission("r"), rejected)

    assert [(run.uid, run.phase, run.n) for run in ledger.runs("team")] == [("r", "Rejected", 0)]
    assert ledger.metrics(WORKFLOW).last_run == 0
    assert ledger.dealt(WORKFLOW, 1) == {}


def test_over_the_limit_a_run_waits_its_turn(ledger: Ledger) -> None:
    limited = {"limit": 1, "queue": True}
    assert not ledger.admit(admission("a", **limited)).queued
    assert ledger.admit(admission("b", **limited)).queued
    assert ledger.admit(admission("c", **limited)).queued
    assert ledger.admit(admission("b", **limited)).queued

    finish(ledger, "a")
    assert ledger.next_queued(WORKFLOW, "sandbox") == "b"
    assert not ledger.admit(admission("b", **limited)).queued
    assert ledger.next_queued(WORKFLOW, "sandbox") == "c"


def test_over_the_limit_without_a_queue_a_run_is_refused(ledger: Ledger) -> None:
    ledger.admit(admission("a", limit=1))

    assert ledger.admit(admission("b", limit=1)).refused
    assert ledger.run("b") is None


def test_runs_are_listed_newest_first_page_by_page(ledger: Ledger, clock: HandClock) -> None:
    for n in range(5):
        clock.advance(seconds=1)
        ledger.admit(admission(f"r{n}", window=window("sandbox" if n % 2 else "production")))

    newest = ledger.runs("team", "greet", limit=2)
    assert [run.uid for run in newest] == ["r4", "r3"]
    assert [run.uid for run in ledger.runs("team", limit=2, before=newest[-1].created)] == ["r2", "r1"]
    assert [run.uid for run in ledger.runs("team", "greet", "sandbox")] == ["r3", "r1"]
    assert ledger.runs("elsewhere") == []


def test_a_number_is_remembered_for_ever_with_its_digest(ledger: Ledger) -> None:
    """R179: no gaps, no reuse."""
    ledger.record_version("w", 1, "sha256:a", 1)
    ledger.record_version("w", 2, "sha256:b", 1)
    ledger.record_version("w", 2, "sha256:b", 1)

    assert (ledger.highest_version("w"), ledger.highest_version("other")) == (2, 0)
    with pytest.raises(Conflict, match="version 2"):
        ledger.record_version("w", 2, "sha256:c", 1)


def test_a_key_is_claimed_once_until_it_expires(ledger: Ledger, clock: HandClock) -> None:
    assert ledger.claim_key("delivery", "k", "run-1", 60) == "run-1"
    assert ledger.claim_key("delivery", "k", "run-2", 60) == "run-1"
    assert ledger.claim_key("other", "k", "run-3", 60) == "run-3"

    clock.advance(seconds=61)
    assert ledger.claim_key("delivery", "k", "run-4", 60) == "run-4"


def test_bodies_are_kept_whole(ledger: Ledger) -> None:
    ledger.put_part("r", "payload", b"\x00\xff" * 500_000)

    assert ledger.part("r", "payload") == b"\x00\xff" * 500_000
    assert ledger.part("r", "other") is None


def test_audit_entries_come_newest_first(ledger: Ledger) -> None:
    entries = [AuditEvent(n, "ana", "workflow.edited", "team", f"workflows/w{n}", {"n": n}) for n in range(3)]
    ledger.audit(entries[:2])
    ledger.audit(entries[2:])

    assert list(ledger.audit_tail(2)) == [entries[2], entries[1]]


def test_a_queued_run_that_is_deleted_leaves_the_queue(ledger: Ledger) -> None:
    ledger.admit(admission("a", limit=1, queue=True))
    ledger.admit(admission("b", limit=1, queue=True))

    ledger.abandon("b")

    assert ledger.next_queued(WORKFLOW, "sandbox") == ""
    assert add(ledger, "a", 1, run_ended(), closes=True) is True


def test_figures_say_when_they_will_move_by_themselves(ledger: Ledger, clock) -> None:  # type: ignore[no-untyped-def]
    assert ledger.metrics(WORKFLOW).fades == 0
    ledger.admit(admission("r"))
    finish(ledger, "r")
    in_a_week = ledger.metrics(WORKFLOW)
    assert in_a_week.fades == ledger.now() + 7 * 24 * 3_600_000_000

    clock.advance(days=7)
    in_a_month = ledger.metrics(WORKFLOW)
    assert (in_a_month.started_7d, in_a_month.ended_30d) == (0, 1)
    assert in_a_month.fades == ledger.now() + 23 * 24 * 3_600_000_000
    clock.advance(days=23)
    assert (ledger.metrics(WORKFLOW).ended_30d, ledger.metrics(WORKFLOW).fades) == (0, 0)
