"""The verbs about objects, on a real API server: what kubectl would do and print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from sluice.api.kinds import EVENT, WORKFLOW
from tests.cli.cluster_place import ClusterPlace
from tests.cli.place import as_files, environment, workflow

pytestmark = pytest.mark.cluster

AGE = re.compile(r"\b\d+s\b")


def files(place: ClusterPlace, folder: Path, team: str = "support") -> str:
    return str(as_files(folder / "flows", place.placed(workflow(team=team)), place.placed(environment())))


def test_applying_says_what_became_of_each_object(cluster: ClusterPlace, tmp_path: Path) -> None:
    folder = files(cluster, tmp_path)
    assert cluster.sluice("apply", "-f", folder, "--dry-run").stdout.splitlines() == [
        "workflow.sluice.dev/support created (dry run)",
        "environment.sluice.dev/production created (dry run)",
    ]
    assert cluster.all(WORKFLOW) == []
    assert "workflow.sluice.dev/support created\n" in cluster.sluice("apply", "-f", folder).stdout
    assert "workflow.sluice.dev/support unchanged\n" in cluster.sluice("apply", "-f", folder).stdout
    files(cluster, tmp_path, team="sales")
    assert "workflow.sluice.dev/support configured\n" in cluster.sluice("apply", "-f", folder).stdout
    assert cluster.get(WORKFLOW, "support")["spec"]["team"] == "sales"


def test_applying_what_another_owns_fails_unless_it_is_forced(cluster: ClusterPlace, tmp_path: Path) -> None:
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(cluster.placed(workflow(team="sales"))))
    folder = files(cluster, tmp_path)
    result = cluster.sluice("apply", "-f", folder)
    assert (result.exit_code, 'conflict with "kubectl"' in result.stderr, ".spec.team" in result.stderr) == (
        1,
        True,
        True,
    )
    assert cluster.sluice("apply", "-f", folder, "--force-conflicts").exit_code == 0


def test_what_the_server_finds_wrong_ends_with_two(cluster: ClusterPlace) -> None:
    cluster.make(workflow())
    cluster.publish(1, 2)
    result = cluster.sluice("revert", "support", "--to", "v1", "--reason", "x" * 100_000)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert "spec.reverts.v3.reason" in result.stderr


@pytest.mark.parametrize(
    "words", ["get workflows", "get slwf -o wide", "get workflow support", "get workflows -l a=b", "get workflow nope"]
)
def test_get_prints_what_kubectl_prints(cluster: ClusterPlace, words: str) -> None:
    cluster.make(workflow(), workflow("billing", team="billing"))
    done = cluster.kubectl.run(*words.split(), f"--namespace={cluster.namespace}")
    result = cluster.sluice(*words.split())
    lines = [AGE.sub("AGE", line.rstrip()) for line in done.stdout.splitlines()]
    assert [AGE.sub("AGE", line) for line in result.stdout.splitlines()] == lines
    assert result.exit_code == done.returncode
    assert result.stderr.removeprefix("error: ") == done.stderr.removeprefix("Error from server (NotFound): ")


@pytest.mark.parametrize("format", ["json", "yaml", "name"])
def test_get_prints_the_objects_themselves(cluster: ClusterPlace, format: str) -> None:
    cluster.make(workflow())
    result = cluster.sluice("get", "workflow/support", "-o", format)
    where = f"--namespace={cluster.namespace}"
    assert result.exit_code == 0
    if format == "name":
        assert result.stdout == cluster.kubectl("get", "workflow/support", "-o", "name", where)
    else:
        printed = cluster.kubectl("get", "workflow/support", "-o", format, where)
        assert yaml.safe_load(result.stdout) == yaml.safe_load(printed)


def test_get_all_kinds_shows_those_that_have_objects(cluster: ClusterPlace) -> None:
    cluster.make(workflow(), environment())
    result = cluster.sluice("get", "sluice")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines if line] == [
        "NAME",
        "workflow.sluice.dev/support",
        "NAME",
        "environment.sluice.dev/production",
    ]


def test_describe_tells_what_happened(cluster: ClusterPlace) -> None:
    cluster.make(workflow())
    involved = {"kind": "Workflow", "name": "support", "namespace": cluster.namespace}
    involved["uid"] = cluster.get(WORKFLOW, "support")["metadata"]["uid"]
    cluster.make(
        {
            "apiVersion": "v1",
            "kind": EVENT.kind,
            "metadata": {"name": "support.1"},
            "involvedObject": {**involved, "apiVersion": "sluice.dev/v1alpha1"},
            "type": "Normal",
            "reason": "Published",
            "message": "v1 is published",
        }
    )
    result = cluster.sluice("describe", "workflow", "support")
    assert result.exit_code == 0
    assert result.stdout.startswith("Name:         support\n")
    assert "v1 is published" in result.stdout


def test_diff_ends_with_one_as_long_as_there_is_something_to_apply(cluster: ClusterPlace, tmp_path: Path) -> None:
    folder = files(cluster, tmp_path)
    result = cluster.sluice("diff", folder)
    assert result.exit_code == 1
    assert "+ environment.sluice.dev/production created\n" in result.stdout
    cluster.sluice("apply", "-f", folder)
    cluster.publish(1)
    files(cluster, tmp_path, team="sales")
    told = cluster.sluice("diff", folder).stdout
    assert "~ workflow.sluice.dev/support changed\n" in told
    assert "    spec.team: support -> sales\n" in told
    assert told.endswith("0 created, 1 changed, 1 unchanged\n")
    (Path(folder) / "all.yaml").write_text(yaml.safe_dump(cluster.placed(environment())))
    assert cluster.sluice("diff", folder).exit_code == 0


def test_delete_removes_by_name_and_by_manifest(cluster: ClusterPlace, tmp_path: Path) -> None:
    folder = files(cluster, tmp_path)
    cluster.sluice("apply", "-f", folder)
    assert cluster.sluice("delete", "workflow", "support").stdout == 'workflow.sluice.dev "support" deleted\n'
    missing = cluster.sluice("delete", "workflow", "support")
    assert (missing.exit_code, missing.stderr) == (1, 'error: workflows.sluice.dev "support" not found\n')
    assert cluster.sluice("delete", "environment/production").exit_code == 0
