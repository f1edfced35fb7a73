from __future__ import annotations

from pathlib import Path

from sluice.api.kinds import APPROVAL
from sluice.ports.store import Obj
from tests.cli.place import ANA, Place, call, manifest


def approval(name: str = "support-v2", **spec: object) -> Obj:
    subject = {"version": "support-v2"}
    return manifest("Approval", name, {"subject": subject, "approvers": {"groups": ["leads"]}, **spec})


def pending(place: Place, *names: str) -> None:
    for name in names:
        place.make(approval(name))
        place.report(APPROVAL, name, phase="Pending", subject="support v2")


def test_pending_ones_are_listed_with_the_servers_columns(place: Place) -> None:
    pending(place, "one", "two")
    place.report(APPROVAL, "two", phase="Approved")
    lines = [line.split() for line in call("approvals").stdout.splitlines()]
    assert lines[0][:4] == ["NAME", "SUBJECT", "PHASE", "RISK"]
    assert [line[0] for line in lines[1:]] == ["one"]
    assert len(call("approvals", "--all").stdout.splitlines()) == 3
    assert call("approvals", "-o", "name").stdout == "approval.sluice.dev/one\n"


def test_nothing_to_decide_is_said_beside_the_result(place: Place) -> None:
    result = call("approvals")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "nothing waits for a decision\n")


def test_approving_is_a_decision_in_ones_own_name(place: Place, tmp_path: Path) -> None:
    pending(place, "one")
    (tmp_path / "edited.json").write_text('{"draft": "Dear Ana"}')
    result = call("approve", "one", "--payload", "@edited.json", "--reason", "fine")
    assert (result.exit_code, result.stdout) == (0, f"one approved by {ANA}\n")
    assert place.get(APPROVAL, "one")["spec"]["decisions"] == {
        ANA: {"verdict": "Approved", "by": ANA, "reason": "fine", "payload": {"draft": "Dear Ana"}}
    }


def test_rejecting_wants_a_reason(place: Place) -> None:
    pending(place, "one")
    assert call("reject", "one").exit_code == 2
    assert call("reject", "one", "--reason", "too early").stdout == f"one rejected by {ANA}\n"
    assert place.get(APPROVAL, "one")["spec"]["decisions"][ANA]["reason"] == "too early"


def test_what_is_decided_is_not_decided_again(place: Place) -> None:
    pending(place, "one")
    call("approve", "one")
    assert call("reject", "one", "--reason", "no").stderr == "error: you decided on one already: Approved\n"
    place.report(APPROVAL, "one", phase="Withdrawn")
    assert call("approve", "one").stderr == "error: one is Withdrawn already\n"


def test_only_assignees_decide(place: Place) -> None:
    place.make(approval("one", approvers={"users": ["ben@example.com"]}))
    result = call("approve", "one")
    assert result.exit_code == 1
    assert "only those named in spec.approvers decide" in result.stderr
