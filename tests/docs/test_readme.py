"""The README keeps its word: its manifest runs as it stands, and its rollout splits what comes after."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.docs.blocks import ROOT, blocks
from tests.examples.served import up

MANIFEST, ROLLOUT, *_ = (block.text for block in blocks("yaml") if block.file == ROOT / "README.md")


def test_the_first_minutes_go_as_the_readme_says(tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    flows.mkdir()
    manifest = flows / "hello.yaml"
    manifest.write_text(MANIFEST)
    with up(flows) as served:
        served.await_live("hello")
        first = served.run("hello", payload={"name": "Ana"})
        assert served.report(first)["steps"][0]["output"] == "Hello, Ana"

        (flows / "rollout.yaml").write_text(ROLLOUT)
        served.await_object("rollouts", "hello", lambda obj: obj.get("status", {}).get("phase") == "Completed")
        manifest.write_text(MANIFEST.replace("Hello", "Good morning"))
        served.await_object("rollouts", "hello", lambda obj: obj.get("status", {}).get("percent") == "25")
        runs = [served.run("hello", payload={"name": "Ben"}) for _ in range(8)]
        assert Counter(run["status"]["version"] for run in runs) == {"v1": 6, "v2": 2}

        served.sluice("rollout", "stop", "hello")
        served.await_object("rollouts", "hello", lambda obj: obj.get("status", {}).get("phase") == "Stopped")
        served.sluice("revert", "hello", "--to", "v1", "--wait")
        assert served.get("workflowversions", "hello-v3")["spec"]["revertOf"] == "v1"
        assert served.sluice("versions", "hello").splitlines()[1].startswith("v3")
