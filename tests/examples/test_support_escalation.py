"""Support escalation (R231): classify, then a person or an answer; both branches, and an answer that can't be sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.examples.loading import load
from tests.examples.served import Served, example, listening

Desk = load("support-escalation/desk.py").Desk


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with example("support-escalation", tmp_path_factory.mktemp("support")) as made:
        made.await_live("support-escalation")
        yield made


@pytest.fixture
def desk() -> Iterator[Any]:
    with listening(Desk()) as made:
        yield made


def ticket(served: Served, desk: Any, text: str) -> dict[str, Any]:
    return served.run(
        "support-escalation",
        environment="sandbox",
        payload={"customer": "ben@example.com", "text": text},
        params={"deskUrl": desk.url},
    )


def test_an_urgent_ticket_goes_to_a_person_with_a_draft(served: Served, desk: Any) -> None:
    run = ticket(served, desk, "The shop is down, and I want a refund!")

    assert run["status"]["phase"] == "Succeeded"
    assert run["status"]["outputs"] == {"severity": "high", "ticket": "E-1", "reply": ""}
    (posted,) = desk.tickets.values()
    assert posted["kind"] == "escalations"
    assert posted["reasons"] == ["down", "refund"]
    assert posted["draft"].startswith("Dear Ben, this is urgent to us too.")


def test_any_other_ticket_is_answered_at_once(served: Served, desk: Any) -> None:
    run = ticket(served, desk, "How do I change my address?")

    assert run["status"]["outputs"] == {"severity": "low", "ticket": "", "reply": "R-1"}
    assert [posted["kind"] for posted in desk.tickets.values()] == ["replies"]


def test_a_desk_that_is_busy_for_a_moment_is_asked_again(served: Served, desk: Any) -> None:
    desk.failures = [503, 503]

    run = ticket(served, desk, "How do I change my address?")

    assert run["status"]["outputs"]["reply"] == "R-1"
    steps = {step["name"]: step for step in served.report(run)["steps"]}
    assert [attempt["phase"] for attempt in steps["reply"]["attempts"]] == ["Failed", "Failed", "Succeeded"]


def test_an_answer_that_is_refused_leads_to_an_apology_and_the_run_succeeds(served: Served, desk: Any) -> None:
    desk.failures = [409]

    run = ticket(served, desk, "How do I change my address?")

    assert run["status"]["phase"] == "Succeeded"
    assert [posted["kind"] for posted in desk.tickets.values()] == ["apologies"]
    assert [error["step"] for error in served.report(run)["errors"]] == ["reply"]


def test_a_ticket_without_a_text_fails_and_names_what_is_missing(served: Served, desk: Any) -> None:
    run = served.run("support-escalation", environment="sandbox", payload={"customer": "ben@example.com"})

    assert run["status"]["phase"] == "Failed"
    assert "text" in run["status"]["failure"]["message"]
    assert not desk.tickets


def test_production_is_inactive_until_somebody_activates_it(served: Served, desk: Any) -> None:
    run = served.run("support-escalation", environment="production", payload={"customer": "ben", "text": "x"})

    assert (run["status"]["phase"], run["status"]["reason"]) == ("Rejected", "Inactive")
