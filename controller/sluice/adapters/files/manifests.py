"""Manifests in files: loaded, checked, every finding with its file and line. Nothing is applied if any is an error.

`load_directory` and `check_directory` read a folder; `load_files` and `check_files` take bytes from elsewhere (a commit).
All of them are plain functions of plain values, so a helper process can run them: a large folder takes seconds.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sluice.adapters.files.documents import Document, forget_places, line_in, lines_of_items, read_documents
from sluice.adapters.files.inlining import Read, inline_code
from sluice.adapters.files.reading import read_folder
from sluice.adapters.files.results import FileFinding, LoadResult, Manifest
from sluice.adapters.files.yaml_nodes import SyntaxProblem
from sluice.api.kinds import API_VERSION
from sluice.domain.definition.validation.findings import Code, Finding, errors, warning
from sluice.domain.definition.validation.objects import check_kind, validate_object
from sluice.domain.definition.validation.sets import validate_set

ALLOWED_CORE = frozenset({"Namespace", "ConfigMap", "Secret"})
"""Kinds of Kubernetes itself that may stand beside Sluice's: what workflows refer to."""

SERVER_OWNED = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"})
"""What ``kubectl get -o yaml`` prints of an object that is not for applying again."""

REFUSED = {
    "WorkflowVersion": "versions are published by the controller, never applied; change the workflow instead",
    "Approval": "approvals are made by the controller and decided by people; remove it from the files",
}
"""Kinds that no file may hold."""


def load_directory(path: str | Path) -> LoadResult:
    """The objects of a folder, or of one file, and what keeps files from being read as objects."""
    folder = read_folder(path)
    return _with(folder.findings, load_files(folder.manifests, folder.read))


def check_directory(path: str | Path) -> LoadResult:
    """As `load_directory`, and every object validated, by itself and with the others."""
    folder = read_folder(path)
    return _with(folder.findings, check_files(folder.manifests, folder.read))


def load_files(contents: Mapping[str, bytes], read: Read) -> LoadResult:
    """The objects of manifests given as bytes by path; ``read`` gives any other file by its path."""
    objects: list[Manifest] = []
    findings: list[FileFinding] = []
    for file in sorted(contents):
        loaded = _load_file(file, contents[file], read)
        objects += loaded.objects
        findings += loaded.findings
    return LoadResult(tuple(objects), (*findings, *_duplicates(objects)))


def check_files(contents: Mapping[str, bytes], read: Read) -> LoadResult:
    """As `load_files`, and every object validated."""
    loaded = load_files(contents, read)
    found = {*loaded.findings, *_validate(loaded.objects, contents)}
    forget_places()
    return LoadResult(loaded.objects, tuple(sorted(found, key=_order)))


def _with(before: list[FileFinding], result: LoadResult) -> LoadResult:
    return LoadResult(result.objects, tuple(sorted((*before, *result.findings), key=_order)))


def _order(finding: FileFinding) -> tuple[str, int, str, str]:
    return finding.file, finding.line, finding.finding.field, finding.finding.message


def _load_file(file: str, content: bytes, read: Read) -> LoadResult:
    is_json = file.endswith(".json")
    try:
        documents = read_documents(content, is_json=is_json)
    except SyntaxProblem as problem:
        finding = Finding("", problem.message, code=Code.SYNTAX)
        return LoadResult((), (FileFinding(file, problem.line, finding),))
    objects: list[Manifest] = []
    findings: list[FileFinding] = []
    for document in documents:
        for manifest in _objects_of(document, file, content):
            if is_json and not _claims_to_be_an_object(manifest.obj):
                continue
            refusal = _refusal(manifest.obj)
            if refusal is None:
                objects.append(manifest)
            found = [refusal] if refusal else _prepare(manifest, read)
            findings += [_placed(each, manifest, content) for each in found]
    return LoadResult(tuple(objects), tuple(findings))


def _claims_to_be_an_object(value: Any) -> bool:
    """Any JSON may lie in a folder; one that says what kind it is means to be a manifest."""
    return isinstance(value, dict) and ("kind" in value or "apiVersion" in value)


def _objects_of(document: Document, file: str, content: bytes) -> Iterator[Manifest]:
    """The document itself, or the items of a List."""
    value = document.value
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        lines = lines_of_items(content, document.index, "items")
        for index, item in enumerate(value["items"]):
            line = lines[index] if index < len(lines) else document.line
            yield Manifest(item, file, line, document.index, ("items", index))
    else:
        yield Manifest(value, file, document.line, document.index)


def _refusal(obj: Any) -> Finding | None:
    """Why this can't be an object in a file at all."""
    if not isinstance(obj, dict):
        message = "this is no object; a manifest is a map with apiVersion, kind and metadata"
        return Finding("", message, code=Code.WRONG_TYPE)
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if not api_version and not kind:
        return Finding("", "apiVersion and kind are missing; add them, or move the file away", code=Code.MISSING)
    if isinstance(api_version, str) and isinstance(kind, str) and not api_version.startswith("sluice.dev/"):
        return _foreign(api_version, kind)
    if kind in REFUSED:
        return Finding("kind", REFUSED[str(kind)], code=Code.REFUSED)
    metadata = obj.get("metadata")
    if isinstance(metadata, dict) and metadata.get("generateName") and kind != "WorkflowRun":
        message = "only runs may have generated names, for the others are recognised by theirs; write name"
        return Finding("metadata.generateName", message, code=Code.REFUSED)
    return check_kind(obj)


def _foreign(api_version: str, kind: str) -> Finding | None:
    if api_version == "v1":
        if kind in ALLOWED_CORE:
            return None
        allowed = ", ".join(sorted(ALLOWED_CORE))
        message = f"{kind} is not applied by Sluice; of Kubernetes' own kinds only {allowed} are. Move it away"
        return Finding("kind", message, code=Code.REFUSED)
    group = api_version.partition("/")[0]
    message = f"objects of {group} are not applied by Sluice; write {API_VERSION}, or move the file away"
    return Finding("apiVersion", message, code=Code.REFUSED)


def _prepare(manifest: Manifest, read: Read) -> list[Finding]:
    """Make it the object that is applied: without ``status``, with the code of its files."""
    obj, found = manifest.obj, []
    if obj.pop("status", None):
        message = "the controller writes status, so this is ignored; remove it"
        found.append(warning("status", message, Code.IGNORED))
    metadata: dict[str, Any] = obj["metadata"] if isinstance(obj.get("metadata"), dict) else {}
    for name in sorted(SERVER_OWNED & metadata.keys()):
        if metadata.pop(name):
            message = f"the server writes {name}, so this is ignored; remove it"
            found.append(warning(f"metadata.{name}", message, Code.IGNORED))
    if obj["apiVersion"] == "v1" and not metadata.get("name"):
        found.append(Finding("metadata.name", "is required; add a name", code=Code.MISSING))
    if obj["kind"] == "Workflow":
        found += inline_code(obj, posixpath.dirname(manifest.file), read)
    return found


def _duplicates(objects: list[Manifest]) -> Iterator[FileFinding]:
    first: dict[tuple[str, str, str, str], Manifest] = {}
    for manifest in objects:
        if not manifest.identity[3]:
            continue
        known = first.setdefault(manifest.identity, manifest)
        if known is not manifest:
            _, kind, _, name = manifest.identity
            message = f"{kind} {name} is declared here and in {known.place}; keep one of them"
            yield FileFinding(manifest.file, manifest.line, Finding("metadata.name", message, code=Code.DUPLICATE))


def _validate(objects: tuple[Manifest, ...], contents: Mapping[str, bytes]) -> Iterator[FileFinding]:
    """Each object by itself; those that are valid together too."""
    valid: list[Manifest] = []
    for manifest in objects:
        if manifest.obj["apiVersion"] != API_VERSION:
            continue
        found = validate_object(manifest.obj, files=True)
        if not errors(found):
            valid.append(manifest)
        for finding in found:
            yield _placed(finding, manifest, contents[manifest.file])
    for index, finding in validate_set([manifest.obj for manifest in valid]):
        yield _placed(finding, valid[index], contents[valid[index].file])


def _placed(finding: Finding, manifest: Manifest, content: bytes) -> FileFinding:
    line = line_in(content, manifest.document, manifest.prefix, finding.field) or manifest.line
    return FileFinding(manifest.file, line, finding)
