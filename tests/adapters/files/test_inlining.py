"""``file:`` becomes ``code`` before anything is digested (DESIGN 1, "Python steps")."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sluice.adapters.files.manifests import check_directory, load_files
from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from tests.bad_input.case import steps, workflow

FILE = "action: {python: {file: lib/t.py}}"


def definition_of(text: str, **files: bytes) -> dict[str, object]:
    def read(path: str) -> bytes:
        return files[path.replace("/", "_").replace(".", "_")]

    result = load_files({"team/w.yaml": text.encode()}, read)
    assert [str(finding) for finding in result.findings] == []
    definition: dict[str, object] = result.objects[0].obj["spec"]["definition"]
    return definition


@pytest.mark.parametrize(
    "text",
    [
        steps(f"name: a, {FILE}"),
        workflow(f"tasks: [{{name: a, {FILE}}}]"),
        workflow(f"nodes: {{a: {{{FILE}}}}}"),
    ],
    ids=["steps", "tasks", "nodes"],
)
def test_the_file_is_looked_for_beside_the_manifest(text: str) -> None:
    definition = definition_of(text, team_lib_t_py=b"output = 1\n")
    code = {"steps": [{"name": "a", "action": {"python": {"code": "output = 1\n"}}}]}
    assert digest(canonicalize(definition)) == digest(canonicalize(code))


def test_files_of_finally_and_graphs_are_inlined_too() -> None:
    text = workflow(
        f"steps: [{{name: a, {FILE}}}]\nfinally: [{{name: b, {FILE}}}]\ngraphs: {{g: {{steps: [{{name: c, {FILE}}}]}}}}"
    )
    assert "file" not in str(definition_of(text, team_lib_t_py=b"output = 'x'"))


def test_a_byte_order_mark_is_no_part_of_the_code() -> None:
    definition = definition_of(steps(f"name: a, {FILE}"), team_lib_t_py="\ufeffoutput = 1".encode())
    assert "\ufeff" not in str(definition)


def test_a_neighbour_within_the_folder_may_be_named() -> None:
    text = steps("name: a, action: {python: {file: ../shared/t.py}}")
    assert "output = 7" in str(definition_of(text, shared_t_py=b"output = 7"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"x = '\0'", "has a NUL character"),
        (b"#" * 70_000, "is over 64 KiB"),
    ],
)
def test_a_file_that_is_no_code_stays_and_is_named(content: bytes, message: str) -> None:
    result = load_files({"w.yaml": steps(f"name: a, {FILE}").encode()}, lambda _: content)
    (finding,) = result.findings
    assert str(finding).startswith("w.yaml:8: spec.definition.steps[0].action.python.file: lib/t.py ")
    assert message in str(finding)


def test_a_link_does_not_lead_code_in_from_outside(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("output = 'secret'")
    folder = tmp_path / "folder"
    folder.mkdir()
    os.symlink(tmp_path / "outside.py", folder / "t.py")
    (folder / "w.yaml").write_text(steps("name: a, action: {python: {file: t.py}}"))
    result = check_directory(folder)
    assert [str(finding) for finding in result.findings] == [
        "w.yaml:8: spec.definition.steps[0].action.python.file: "
        "t.py can't be read: it leads out of the folder; put the file beside the manifest"
    ]
    assert "secret" not in str(result.objects)
