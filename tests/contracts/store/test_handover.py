"""Moving from kubectl's client-side apply to its server-side one."""

from __future__ import annotations

import json

import pytest

from sluice.ports.errors import Conflict
from sluice.ports.store import Obj, Store
from tests.contracts.store.builders import rollout, rollout_ref

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def applied_by_the_client(store: Store, namespace: str) -> Obj:
    """What ``kubectl apply`` without ``--server-side`` leaves behind."""
    config = rollout(namespace, percent=10)
    annotated = rollout(namespace, percent=10, annotations={LAST_APPLIED: json.dumps(config)})
    return store.create(annotated, manager="kubectl-client-side-apply")


def test_kubectl_may_change_server_side_what_it_applied_client_side(store: Store, namespace: str) -> None:
    applied_by_the_client(store, namespace)

    assert store.apply(rollout(namespace, percent=20), manager="kubectl")["spec"]["percent"] == 20


def test_anybody_else_still_meets_a_conflict(store: Store, namespace: str) -> None:
    applied_by_the_client(store, namespace)

    with pytest.raises(Conflict) as refused:
        store.apply(rollout(namespace, percent=20), manager="git")
    assert [field.manager for field in refused.value.fields] == ["kubectl-client-side-apply"]


def test_what_somebody_changed_since_is_theirs(store: Store, namespace: str) -> None:
    applied_by_the_client(store, namespace)
    store.patch(rollout_ref(namespace), {"spec": {"percent": 15}}, manager="ana")

    with pytest.raises(Conflict) as refused:
        store.apply(rollout(namespace, percent=20), manager="kubectl")
    assert [(field.manager, field.field) for field in refused.value.fields] == [("ana", ".spec.percent")]
