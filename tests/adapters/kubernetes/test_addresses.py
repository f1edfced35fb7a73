"""Paths: where an object is, and names that must never become another path."""

from __future__ import annotations

import pytest

from sluice.adapters.kubernetes.addresses import collection, item
from sluice.api.kinds import CONFIG_MAP, LEASE, NAMESPACE, ROLLOUT
from sluice.ports.errors import BadRequest
from sluice.ports.store import Ref
from tests.adapters.kubernetes.conftest import Open
from tests.adapters.kubernetes.scripted import Answer


def test_each_kind_is_under_its_group() -> None:
    assert collection(ROLLOUT, "team") == "/apis/sluice.dev/v1alpha1/namespaces/team/rollouts"
    assert collection(ROLLOUT, "") == "/apis/sluice.dev/v1alpha1/rollouts"
    assert collection(CONFIG_MAP, "team") == "/api/v1/namespaces/team/configmaps"
    assert item(Ref(LEASE, "team", "leader")) == "/apis/coordination.k8s.io/v1/namespaces/team/leases/leader"
    assert item(Ref(NAMESPACE, "", "team")) == "/api/v1/namespaces/team"
    assert item(Ref(ROLLOUT, "team", "a"), status=True).endswith("/rollouts/a/status")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_is_a_step_between_folders_is_refused(name: str) -> None:
    """A deletion of the name "" or ".." would be one of the whole collection, or of the namespace."""
    with pytest.raises(BadRequest):
        item(Ref(ROLLOUT, "team", name))
    if name:
        with pytest.raises(BadRequest):
            collection(ROLLOUT, name)


def test_a_name_with_slashes_stays_one_part_of_the_path() -> None:
    assert item(Ref(ROLLOUT, "team", "a/../b?c#d")).endswith("/rollouts/a%2F..%2Fb%3Fc%23d")


def test_an_object_without_its_namespace_is_refused() -> None:
    with pytest.raises(BadRequest, match="an empty namespace"):
        item(Ref(ROLLOUT, "", "support"))


def test_nothing_is_asked_for_a_name_that_names_nothing(opened: Open) -> None:
    store, server = opened(Answer())
    for name in ("", ".."):
        with pytest.raises(BadRequest):
            store.delete(Ref(ROLLOUT, "team", name))
    assert not server.asked
