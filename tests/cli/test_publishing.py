from __future__ import annotations

import json

import pytest

from sluice.api.kinds import WORKFLOW, WORKFLOW_VERSION
from sluice.cli.publishing import is_settled
from sluice.cli.workflows import next_number
from sluice.ports.store import Obj
from tests.cli.place import DIGESTS, Place, call, manifest, version, workflow


def observed(place: Place, **status: object) -> None:
    generation = place.get(WORKFLOW, "support")["metadata"]["generation"]
    place.report(WORKFLOW, "support", observedGeneration=generation, **status)


@pytest.mark.parametrize(
    ("status", "numbers", "number"),
    [
        ({}, [], 1),
        ({"lastNumber": 4}, [3, 4], 5),
        ({"lastNumber": 9}, [4], 10),
        ({"lastNumber": 4, "publishing": {"number": 5, "digest": "d"}}, [4], 6),
        ({}, [7], 8),
    ],
)
def test_the_next_number_is_one_more_than_any_that_was_given_or_claimed(
    status: Obj, numbers: list[int], number: int
) -> None:
    assert next_number({"status": status}, [{"spec": {"number": each}} for each in numbers]) == number


def test_reverting_asks_for_the_next_number_and_leaves_the_draft_alone(place: Place) -> None:
    """R048, R049, R050: any prior version, at any percentage."""
    place.make(workflow(), manifest("Rollout", "support", {"percent": 50}))
    place.publish(1, 2, 3)
    result = call("revert", "support", "--to", "v1", "--percent", "10", "--reason", "5xx")
    assert (result.exit_code, result.stdout) == (0, "support v4 (a revert to v1) is being published\n")
    spec = place.get(WORKFLOW, "support")["spec"]
    assert spec["reverts"] == {"v4": {"to": "v1", "percent": 10, "reason": "5xx"}}
    assert spec["definition"] == workflow()["spec"]["definition"]


def test_a_revert_starts_at_no_percentage_that_no_rollout_would_keep(place: Place) -> None:
    place.make(workflow())
    place.publish(1, 2)
    result = call("revert", "support", "--to", "v1", "--percent", "10")
    assert result.exit_code == 1
    assert "support has no Rollout, so a revert takes all runs at once, not 10 %" in result.stderr
    assert "reverts" not in place.get(WORKFLOW, "support")["spec"]
    assert call("revert", "support", "--to", "v1", "--percent", "100").exit_code == 0


def test_the_policy_of_the_namespace_keeps_a_reverts_percentage(place: Place) -> None:
    place.make(workflow(), manifest("Rollout", "default", {"percent": 50}))
    place.publish(1, 2)
    assert call("revert", "support", "--to", "v1", "--percent", "10").exit_code == 0


def test_the_request_tells_who_made_it(place: Place) -> None:
    place.make(workflow())
    place.publish(1, 2)
    call("revert", "support", "--to", "v1")
    managers = [entry["manager"] for entry in place.get(WORKFLOW, "support")["metadata"]["managedFields"]]
    assert "sluice-cli/ana@example.com" in managers


def test_reverting_to_what_is_there_already_does_nothing(place: Place) -> None:
    place.make(workflow())
    place.publish(1, 2)
    result = call("revert", "support", "--to", "v2")
    assert (result.exit_code, result.stdout) == (0, "nothing to publish: v2 does what v2 did\n")
    assert "reverts" not in place.get(WORKFLOW, "support")["spec"]


def test_reverting_can_wait_until_it_is_published(place: Place) -> None:
    place.make(workflow())
    place.publish(1, 2)

    def controller(_: Obj) -> None:
        place.make(version(3, digest=DIGESTS[1], revertOf="v1"))
        observed(place, lastNumber=3)

    place.answer(WORKFLOW, controller)
    result = call("revert", "support", "--to", "v1", "--wait", "-o", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["spec"]["revertOf"] == "v1"


def test_somebody_elses_publish_of_the_same_number_is_told(place: Place) -> None:
    place.make(workflow())
    place.publish(1, 2)

    def controller(_: Obj) -> None:
        place.make(version(3))
        observed(place, lastNumber=3)

    place.answer(WORKFLOW, controller)
    result = call("revert", "support", "--to", "v1", "--wait")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: somebody else published v3 of support first; run this again\n",
    )


def test_a_revert_that_the_controller_refuses_fails_with_its_reason(place: Place) -> None:
    place.make(workflow())
    place.publish(1, 2)
    stalled = {"type": "Stalled", "status": "True", "reason": "VersionNotFound", "message": "v1 was never approved"}
    place.answer(WORKFLOW, lambda _: observed(place, conditions=[stalled]))
    result = call("revert", "support", "--to", "v1", "--wait")
    assert result.exit_code == 1
    assert "support v3 (a revert to v1) was not published: v1 was never approved" in result.stderr


@pytest.mark.parametrize("status", [{"phase": "Rejected"}, {"phase": "Superseded", "outcome": "Withdrawn"}])
def test_what_was_never_approved_is_nothing_to_go_back_to(place: Place, status: dict[str, str]) -> None:
    place.make(workflow())
    place.publish(1, 2)
    place.report(WORKFLOW_VERSION, "support-v1", **status)
    result = call("revert", "support", "--to", "v1")
    assert (result.exit_code, "v1 of support was never approved" in result.stderr) == (1, True)


def test_publishing_names_the_digest_of_the_draft(place: Place) -> None:
    """R178: the same as publishing by any other way."""
    place.make(workflow(publish={"policy": "Manual"}))
    place.publish(1, draftDigest=DIGESTS[2])
    result = call("publish", "support")
    assert (result.exit_code, result.stdout) == (0, "support v2 is being published\n")
    assert place.get(WORKFLOW, "support")["spec"]["publish"] == {
        "policy": "Manual",
        "rollout": "Optional",
        "request": {"digest": DIGESTS[2], "attempt": 1},
    }


def test_publishing_what_was_published_before_asks_for_another_time(place: Place) -> None:
    place.make(workflow())
    place.publish(1, 2)
    place.make(version(3, digest=DIGESTS[1], draftDigest=DIGESTS[2], revertOf="v1"))
    observed(place, lastNumber=3, draftDigest=DIGESTS[2])
    assert call("publish", "support").stdout == "support v4 is being published\n"
    request = place.get(WORKFLOW, "support")["spec"]["publish"]["request"]
    assert request == {"digest": DIGESTS[2], "attempt": 2}


def test_publishing_a_draft_that_is_published_says_so(place: Place) -> None:
    place.make(workflow())
    place.publish(1)
    assert call("publish", "support").stdout == "nothing to publish: v1 is the draft\n"


def test_an_invalid_draft_is_refused_with_what_is_wrong(place: Place) -> None:
    place.make(workflow())
    invalid = {"type": "DraftValid", "status": "False", "reason": "DraftInvalid", "message": "steps[0]: no"}
    observed(place, conditions=[invalid])
    result = call("publish", "support")
    assert (result.exit_code, result.stderr) == (1, "error: the draft of support can't be published: steps[0]: no\n")


def test_a_field_that_git_owns_is_refused_with_the_source_and_what_to_do(place: Place) -> None:
    request = {"digest": DIGESTS[1], "attempt": 1}
    place.store.apply(workflow(publish={"policy": "Manual", "request": request}), manager="sluice-git/main")
    place.publish(1, draftDigest=DIGESTS[2])
    result = call("publish", "support")
    assert result.exit_code == 1
    assert "spec.publish.request.digest is owned by the git source main: change it in its repository" in result.stderr


def test_a_revert_beside_git_is_an_entry_of_its_own(place: Place) -> None:
    place.store.apply(workflow(reverts={"v2": {"to": "v1"}}), manager="sluice-git/main")
    place.publish(1, 2, 3)
    assert call("revert", "support", "--to", "v1").exit_code == 0
    assert sorted(place.get(WORKFLOW, "support")["spec"]["reverts"]) == ["v2", "v4"]


@pytest.mark.parametrize(
    ("status", "generation", "settled"),
    [
        ({"lastNumber": 2, "observedGeneration": 1}, 2, True),
        ({"lastNumber": 1, "observedGeneration": 1}, 2, False),
        ({"lastNumber": 1, "observedGeneration": 2}, 2, True),
        ({"lastNumber": 1, "observedGeneration": 2, "publishing": {"number": 2, "digest": "d"}}, 2, False),
    ],
)
def test_waiting_ends_when_the_version_is_there_or_the_controller_plans_none(
    status: Obj, generation: int, settled: bool
) -> None:
    assert is_settled({"metadata": {"generation": generation}, "status": status}, 2) is settled
