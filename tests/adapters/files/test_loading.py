"""Folders of manifests: which files count, what becomes of them, where findings point."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from sluice.adapters.files.manifests import check_directory, check_files, load_directory, load_files
from sluice.adapters.files.positions import parts_of
from sluice.adapters.files.results import LoadResult
from tests.bad_input.case import PY, obj, steps

GOOD = steps(f"name: a, {PY}")
ROLLOUT = obj("Rollout", "hello", "percent: 25")


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def names(result: LoadResult) -> list[str]:
    assert [str(finding) for finding in result.findings] == []
    return [
        f"{manifest.place} {manifest.obj['kind']}/{manifest.obj['metadata']['name']}" for manifest in result.objects
    ]


def nothing(path: str) -> bytes:
    raise FileNotFoundError(path)


def test_manifests_are_found_by_their_extension_in_every_folder(tmp_path: Path) -> None:
    write(tmp_path, b_yaml=GOOD, a__c_yml=ROLLOUT, README_md="# x: [", a__script_py="x", notes_txt="x")
    (tmp_path / "data.json").write_text('{"some": "data"}', "utf-8")
    assert names(load_directory(tmp_path)) == ["a/c.yml:1 Rollout/hello", "b.yaml:1 Workflow/hello"]


def test_hidden_files_and_files_of_kustomize_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, kustomization_yaml="resources: [b.yaml]", b_yaml=GOOD)
    for hidden in (".git/config.yaml", ".github/workflows/ci.yaml", ".x.yaml"):
        (tmp_path / hidden).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / hidden).write_text("not: a manifest", "utf-8")
    assert names(load_directory(tmp_path)) == ["b.yaml:1 Workflow/hello"]


def test_one_file_may_be_given_instead_of_a_folder(tmp_path: Path) -> None:
    write(tmp_path, a_yaml=GOOD, b_yaml="broken: [")
    assert names(check_directory(tmp_path / "a.yaml")) == ["a.yaml:1 Workflow/hello"]


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    (finding,) = load_directory(tmp_path / "gone").findings
    assert str(finding) == "gone: there is no such file or folder; check the path"


def test_a_file_holds_many_documents_and_lists(tmp_path: Path) -> None:
    entries = "".join("\n- " + text.strip().replace("\n", "\n  ") for text in (GOOD, ROLLOUT))
    state = obj("EnvironmentState", "hello.local", "state: Active")
    write(tmp_path, all_yaml=f"{state}---\napiVersion: v1\nkind: List\nitems:{entries}\n")
    loaded = load_directory(tmp_path)
    assert names(loaded) == [
        "all.yaml:1 EnvironmentState/hello.local",
        "all.yaml:10 Workflow/hello",
        "all.yaml:18 Rollout/hello",
    ]
    assert loaded.objects[2].prefix == ("items", 1)


def test_what_workflows_refer_to_may_stand_beside_them(tmp_path: Path) -> None:
    core = "".join(
        f"---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\n" for kind in ("Namespace", "ConfigMap", "Secret")
    )
    write(tmp_path, a_yaml=core)
    assert [manifest.obj["kind"] for manifest in check_directory(tmp_path).objects] == [
        "Namespace",
        "ConfigMap",
        "Secret",
    ]


def test_json_is_a_manifest_if_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(
        '{"apiVersion": "sluice.dev/v1alpha1",\t"kind": "Rollout", "metadata": {"name": "r"}, "spec": {"percent": "0.5"}}'
    )
    assert names(check_directory(tmp_path)) == ["r.json:1 Rollout/r"]


def test_a_status_is_dropped_with_a_warning() -> None:
    result = check_files({"a.yaml": (GOOD + "status: {phase: Deployed}\n").encode()}, nothing)
    assert "status" not in result.objects[0].obj
    (finding,) = result.findings
    assert str(finding) == "a.yaml:9: warning: status: the controller writes status, so this is ignored; remove it"
    assert result.errors == ()


def test_what_a_server_wrote_is_dropped_with_a_warning() -> None:
    metadata = "{name: r, uid: abc, resourceVersion: '7', generation: 0, managedFields: [{manager: x}], labels: null}"
    text = obj("Rollout", "r", "percent: 5").replace("{name: r}", metadata)
    result = check_files({"a.yaml": f"{text}status: {{}}\n".encode()}, nothing)
    assert result.objects[0].obj["metadata"] == {"name": "r", "labels": None}
    assert [finding.finding.field for finding in result.findings] == [
        "metadata.managedFields", "metadata.resourceVersion", "metadata.uid",
    ]  # fmt: skip
    assert result.errors == ()


def test_a_run_may_have_a_generated_name() -> None:
    run = obj("WorkflowRun", "x", "input: {workflow: hello}").replace("{name: x}", "{generateName: hello-}")
    result = check_files({"a.yaml": f"{run}---\n{run}".encode()}, nothing)
    assert len(result.objects) == 2
    assert result.findings == ()


def test_one_name_in_two_namespaces_or_kinds_is_no_clash() -> None:
    other = GOOD.replace("{name: hello}", "{name: hello, namespace: b}")
    contents = {"a.yaml": GOOD.encode(), "b.yaml": other.encode(), "c.yaml": ROLLOUT.encode()}
    assert len(names(check_files(contents, nothing))) == 3


def test_findings_come_in_the_order_of_files_and_lines() -> None:
    bad = obj("Rollout", "r", "percent: 101\nsplit: x")
    result = check_files({"b.yaml": bad.replace("r}", "s}").encode(), "a.yaml": f"{bad}---\nfoo".encode()}, nothing)
    assert [(finding.file, finding.line) for finding in result.findings] == [
        ("a.yaml", 5), ("a.yaml", 6), ("a.yaml", 8), ("b.yaml", 5), ("b.yaml", 6),
    ]  # fmt: skip


def test_the_result_may_come_from_another_process() -> None:
    result = check_files({"a.yaml": (GOOD + "status: {}\n").encode(), "b.yaml": b"x: ["}, nothing)
    assert pickle.loads(pickle.dumps(result)) == result


def test_loading_looks_at_the_files_and_not_into_the_objects() -> None:
    contents = {"a.yaml": obj("Rollout", "r", "percent: 101").encode()}
    assert load_files(contents, nothing).findings == ()
    assert len(check_files(contents, nothing).findings) == 1


@pytest.mark.parametrize(
    ("field", "parts"),
    [("", []), ("spec", ["spec"]), ("spec.steps[3].needs[0]", ["spec", "steps", 3, "needs", 0]),
     ('metadata.labels["a.b/c d"].x', ["metadata", "labels", "a.b/c d", "x"]), ('a["q\\"]"]', ["a", 'q"]'])],
)  # fmt: skip
def test_the_path_of_a_field_is_read_as_it_was_written(field: str, parts: list[str | int]) -> None:
    assert parts_of(field) == parts
