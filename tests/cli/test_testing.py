from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sluice.cli.testing import play_tests
from tests.cli.place import as_files, call, workflow

CODE = {"python": {"code": "output = 1"}}
DEFINITION = {
    "params": {"limit": {"type": "integer", "default": 10}},
    "steps": [
        {"name": "read", "action": CODE},
        {
            "name": "route",
            "needs": ["read"],
            "logic": {
                "switch": {
                    "cases": [{"when": "${ steps.read.output.size > params.limit }", "next": ["large"]}],
                    "default": ["small"],
                }
            },
        },
        {"name": "large", "action": CODE},
        {"name": "small", "action": CODE},
    ],
    "outputs": {"size": "${ steps.read.output.size }"},
}


def problems(**test: Any) -> tuple[str, ...]:
    named = {"name": "one", "mocks": {"read": {"size": 20}, "large": 1, "small": 2}, "expect": {}, **test}
    (verdict,) = play_tests(workflow(definition=DEFINITION, tests=[named]))
    return verdict.problems


def test_a_test_passes_when_everything_is_as_expected() -> None:
    expect = {"phase": "Succeeded", "ran": ["read", "large"], "skipped": ["small"], "outputs": {"size": 20}}
    assert problems(expect=expect) == ()


def test_parameters_decide_as_they_would_in_a_run() -> None:
    assert problems(params={"limit": 30}, expect={"ran": ["small"], "skipped": ["large"]}) == ()
    assert problems(params={"limit": "many"})[0].startswith("params.limit")


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ({"phase": "Failed"}, "phase: expected Failed, got Succeeded"),
        ({"ran": ["small"]}, "ran: step small did not run, it is Skipped"),
        ({"skipped": ["large"]}, "skipped: step large was not skipped, it is Succeeded"),
        ({"outputs": {"size": 1}}, "outputs.size: expected 1, got 20"),
        ({"failedStep": "read"}, "failedStep: expected read, got none"),
    ],
)
def test_what_came_out_otherwise_is_told(expect: dict[str, Any], problem: str) -> None:
    assert problems(expect=expect) == (problem,)


def test_an_error_may_be_mocked_and_expected() -> None:
    mocks = {"read": {"error": {"reason": "HttpStatus", "message": "503", "status": 503}}}
    assert problems(mocks=mocks, expect={"phase": "Failed", "failedStep": "read", "reason": "HttpStatus"}) == ()


def test_a_step_without_a_mock_never_passes_unnoticed() -> None:
    message = "the test has no mock for step read; add its output under mocks.read"
    assert problems(mocks={}, expect={"phase": "Failed"}) == (message,)
    assert problems(mocks={}, expect={"phase": "Succeeded"}) == (
        f"phase: expected Succeeded, got Failed (read: NoMock: {message})",
    )


def test_the_verb_lists_each_test_and_fails_if_one_does(tmp_path: Path) -> None:
    tests = [
        {"name": "is large", "mocks": {"read": {"size": 20}, "large": 1}, "expect": {"ran": ["large"]}},
        {"name": "is small", "mocks": {"read": {"size": 20}, "large": 1}, "expect": {"ran": ["small"]}},
    ]
    as_files(tmp_path, workflow(definition=DEFINITION, tests=tests))
    result = call("test", str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "passed support: is large",
        "FAILED support: is small",
        "    ran: step small did not run, it is Skipped",
        "1 passed, 1 failed",
    ]


def test_only_one_workflow_on_request(tmp_path: Path) -> None:
    as_files(tmp_path, workflow(), workflow("billing"))
    assert call("test", str(tmp_path), "-w", "billing").stdout == "0 passed, 0 failed\n"
    assert call("test", str(tmp_path), "-w", "nope").exit_code == 2
