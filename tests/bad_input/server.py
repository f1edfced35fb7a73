"""The cases that are objects, and the embedded server's protocol in front of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import yaml

from sluice.adapters.files.manifests import load_files
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api import kinds
from sluice.api.kinds import API_VERSION, KindInfo
from sluice.bootstrap.admission import embedded_admission
from sluice.crds import bundle
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.group import kubernetes_group
from sluice.http.server import compose
from sluice.ports.store import Actor, Obj
from tests.bad_input.case import Case, obj, workflow
from tests.http.client import Client

ANA = Actor("ana@example.com", ("system:masters",))
STRICT = "fieldValidation=Strict"
"""As kubectl asks for."""

FILES_ONLY = frozenset({"a run with two payloads"})
"""What only those who read files say."""

GOOD = {
    "Workflow": workflow("steps: [{name: a, action: {python: {code: output = 1}}}]"),
    "Rollout": obj("Rollout", "hello", "percent: 25"),
}


@dataclass(frozen=True)
class BadObject:
    """A case whose only file is one object that YAML can spell."""

    case: Case
    obj: Obj
    kind: KindInfo

    @property
    def name(self) -> str:
        return str((self.obj.get("metadata") or {}).get("name"))

    def is_named_by(self, answer: httpx.Response) -> bool:
        """Whether a Status blames the request and names the field: itself, what is around it, or what is in it."""
        status = answer.json()
        causes = (status.get("details") or {}).get("causes") or []
        named = [str(cause.get("field")) for cause in causes]
        told = status.get("message", "") if answer.status_code == 400 else ""
        about = any(_is_within(field, self.case.field) or _is_within(self.case.field, field) for field in named)
        return status["kind"] == "Status" and answer.status_code in {400, 422} and (about or self.case.field in told)


def _is_within(field: str, around: str) -> bool:
    return field == around or field.startswith((f"{around}.", f"{around}["))


def bad_objects(cases: Sequence[Case]) -> list[BadObject]:
    """The cases that can be sent to a server."""
    found = []
    for case in cases:
        (content, *others) = case.files.values()
        if others or not isinstance(content, str) or case.name in FILES_ONLY:
            continue
        loaded = load_files({"workflow.yaml": content.encode()}, _no_file)
        if loaded.errors or len(loaded.objects) != 1:
            continue
        declared = loaded.objects[0].obj
        kind = kinds.kind_of(declared["apiVersion"], declared["kind"])
        if kind is not None and declared["apiVersion"] == API_VERSION:
            found.append(BadObject(case, declared, kind))
    return found


def _no_file(path: str) -> bytes:
    raise KeyError(path)


class Door:
    """The Kubernetes protocol over a store with the embedded server's admission."""

    def __init__(self) -> None:
        schemas, columns = bundle.schemas(), bundle.printer_columns()
        self._writer = Writer(":memory:")
        self._store = SqliteStore(
            self._writer, embedded_admission(schemas), schemas=lambda kind: schemas.get(kind.kind)
        )
        catalog = Catalog(
            {kind: schemas[kind.kind] for kind in kinds.SLUICE_KINDS},
            {kind: columns[kind.kind] for kind in kinds.SLUICE_KINDS},
        )
        self._group = kubernetes_group(
            self._store, catalog, access=Access(anonymous=ANA), acting_as=self._store.acting_as
        )
        self._client = Client(compose([self._group]))

    def close(self) -> None:
        self._client.close()
        self._group.closing()
        self._group.stopped()
        self._store.close()
        self._writer.close()

    def everything(self) -> list[Obj]:
        return [obj for kind in kinds.SLUICE_KINDS for obj in self._store.list(kind).items]

    def get(self, kind: KindInfo, name: str) -> Obj:
        made: Obj = self._client.get(f"{_path(kind)}/{name}").json()
        return made

    def create(self, declared: Obj) -> httpx.Response:
        kind = kinds.kind_of(declared["apiVersion"], declared["kind"])
        assert kind is not None
        return self._client.post(f"{_path(kind)}?{STRICT}", json=declared)

    def apply(self, declared: Obj) -> httpx.Response:
        kind = kinds.kind_of(declared["apiVersion"], declared["kind"])
        assert kind is not None
        return self._client.patch(
            f"{_path(kind)}/{declared['metadata']['name']}?{STRICT}&fieldManager=test&force=true",
            content=yaml.safe_dump(declared),
            headers={"content-type": "application/apply-patch+yaml"},
        )

    def replace(self, before: Obj, declared: Obj) -> httpx.Response:
        kind = kinds.kind_of(before["apiVersion"], before["kind"])
        assert kind is not None
        metadata: dict[str, Any] = {**before["metadata"], **declared["metadata"]}
        return self._client.put(f"{_path(kind)}/hello?{STRICT}", json={**declared, "metadata": metadata})

    @contextmanager
    def standing(self, kind: KindInfo) -> Iterator[Obj]:
        """A valid object named ``hello`` until the block ends."""
        made: Obj = self.create(yaml.safe_load(GOOD[kind.kind])).raise_for_status().json()
        try:
            yield made
        finally:
            self._client.delete(f"{_path(kind)}/hello").raise_for_status()


def _path(kind: KindInfo) -> str:
    return f"/apis/{API_VERSION}/namespaces/default/{kind.plural}"
