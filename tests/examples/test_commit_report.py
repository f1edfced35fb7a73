"""The commit report on real data: a repository's own history, counted here in another way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.examples.served import EXAMPLES, Served, example

HISTORY: dict[str, Any] = json.loads((EXAMPLES / "commit-report" / "commits.json").read_text())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with example("commit-report", tmp_path_factory.mktemp("report")) as made:
        made.await_live("commit-report")
        yield made


def test_the_report_counts_what_the_history_says(served: Served) -> None:
    run = served.run("commit-report", payload=HISTORY)

    assert run["status"]["phase"] == "Succeeded", run["status"]
    outputs = run["status"]["outputs"]
    lines: Counter[str] = Counter()
    for commit in HISTORY["commits"]:
        for path, added, removed in commit["files"]:
            folders = path.split("/")[:-1]
            lines["/".join(folders[:3]) if folders else "the top"] += added + removed
    assert outputs["commits"] == len(HISTORY["commits"])
    assert outputs["busiest"] == lines.most_common(1)[0][0]
    assert outputs["report"].startswith(f"# {len(HISTORY['commits'])} commits, ")
    big = [c for c in HISTORY["commits"] if sum(added + removed for _, added, removed in c["files"]) > 1500]
    assert outputs["report"].count("lines are hard to review") == len(big)


def test_a_tidy_history_is_praised(served: Served) -> None:
    tidy = {
        "commit": "abc1234",
        "at": "2026-03-01T12:00:00+00:00",
        "subject": "Say more",
        "files": [["a/b.py", 3, 1], ["tests/test_b.py", 5, 0]],
    }
    run = served.run("commit-report", payload={"commits": [tidy]})

    assert run["status"]["outputs"]["remarks"] == 0
    assert run["status"]["outputs"]["report"].endswith("tests beside the code.")
    assert [step["name"] for step in served.report(run)["skipped"]] == ["advise"]


def test_a_history_without_commits_fails_and_says_where(served: Served) -> None:
    run = served.run("commit-report", payload={"commits": []})

    assert run["status"]["phase"] == "Failed"
    assert "commits" in run["status"]["failure"]["message"]
