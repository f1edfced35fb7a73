from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli.client import Change, Client, Obj
from sluice.cli.ending import summary, wait_until_ended
from sluice.cli.failures import Broken, CliError, Failed, Refused
from sluice.cli.workflows import seconds_of, wait_for

ENDED: Obj = {"metadata": {"name": "a", "resourceVersion": "9"}, "status": {"phase": "Succeeded"}}
RUNNING: Obj = {"metadata": {"name": "a", "resourceVersion": "1"}, "status": {"phase": "Running"}}


class FlakyClient:
    """Answers with these states, one for each look, and ends each watch as it is told."""

    def __init__(self, states: list[Obj], ending: Callable[[], Iterator[Change]]) -> None:
        self.states, self.ending, self.watches = states, ending, 0

    def get(self, _kind: object, _name: str) -> Obj:
        return self.states.pop(0)

    def watch(self, _kind: object, _chosen: object, *, since: str, seconds: float | None) -> Iterator[Change]:
        self.watches += 1
        assert since
        yield Change("BOOKMARK", {"metadata": {"resourceVersion": "2"}})
        yield from self.ending()


def raising(error: CliError) -> Callable[[], Iterator[Change]]:
    def ending() -> Iterator[Change]:
        raise error
        yield

    return ending


def waited(client: FlakyClient, timeout: str = "10s") -> Obj:
    return wait_until_ended(cast(Client, client), "a", timeout=timeout)


@pytest.mark.parametrize(
    "ending", [raising(Broken("gone")), raising(Refused({"reason": "Expired"}, 410)), lambda: iter(())]
)
def test_a_watch_that_broke_expired_or_ended_is_begun_again(ending: Callable[[], Iterator[Change]]) -> None:
    client = FlakyClient([RUNNING, RUNNING, ENDED], ending)
    assert waited(client) == ENDED
    assert client.watches == 2


def test_what_is_deleted_is_not_waited_for() -> None:
    client = FlakyClient([RUNNING], lambda: iter([Change("DELETED", RUNNING)]))
    with pytest.raises(Failed, match="workflowrun a was deleted"):
        waited(client)


def test_any_other_refusal_ends_the_wait() -> None:
    with pytest.raises(Refused, match="no"):
        waited(FlakyClient([RUNNING], raising(Refused({"message": "no"}, 403))))


def test_what_did_not_happen_in_time_is_named() -> None:
    client = FlakyClient([RUNNING], lambda: iter(()))
    with pytest.raises(Failed, match="the end of a did not happen within 0s"):
        wait_for(cast(Client, client), WORKFLOW_RUN, "a", done=lambda _: False, timeout="0s", what="the end of a")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({}, "a: Pending"),
        ({"phase": "Running", "version": "v2", "step": "pay"}, "a: Running, v2, step pay"),
        ({"phase": "Rejected", "reason": "Inactive"}, "a: Rejected (Inactive)"),
        (
            {"phase": "Failed", "duration": "2s", "failure": {"reason": "CodeFailed", "message": "no"}},
            "a: Failed after 2s (CodeFailed: no)",
        ),
    ],
)
def test_a_run_is_told_on_one_line(status: dict[str, Any], text: str) -> None:
    assert summary({"metadata": {"name": "a"}, "status": status}) == text


def test_durations_become_seconds() -> None:
    assert seconds_of("1m30s") == 90
