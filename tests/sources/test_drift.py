"""What a folder says is put back; what people add beside it stays (DESIGN 2, rule 11)."""

from __future__ import annotations

from sluice.api import kinds
from sluice.ports.store import Ref
from tests.sources.place import ENVIRONMENT, NAMESPACE, Place, manifest, state, workflow


def test_a_field_that_the_folder_owns_is_put_back(place: Place) -> None:
    place.write("all.yaml", ENVIRONMENT, workflow(), manifest("Rollout", "hello", {"percent": 25}))
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    place.patch(kinds.ROLLOUT, "hello", {"percent": 80})
    place.patch(kinds.WORKFLOW, "hello", {"owner": "bo@example.com"})
    place.until(lambda: place.spec(kinds.ROLLOUT, "hello")["percent"] == 25, "the percentage comes back")
    place.until(lambda: place.spec(kinds.WORKFLOW, "hello")["owner"] == "ana@example.com", "the owner comes back")


def test_an_object_that_somebody_deleted_comes_back(place: Place) -> None:
    place.write("all.yaml", ENVIRONMENT, workflow(), manifest("Rollout", "hello", {"percent": 25}))
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    place.store.delete(Ref(kinds.ROLLOUT, NAMESPACE, "hello"))
    place.until(lambda: place.get(kinds.ROLLOUT, "hello") is not None, "the rollout comes back")


def test_a_stop_and_an_override_by_hand_stay(place: Place) -> None:
    place.write("all.yaml", ENVIRONMENT, workflow(), state(), manifest("Rollout", "hello", {"percent": 25}))
    place.follow()
    place.until(lambda: place.get(kinds.ENVIRONMENT_STATE, "hello.local") is not None, "everything is applied")
    place.patch(kinds.ROLLOUT, "hello", {"stops": {"v7": {"reason": "5xx"}}})
    override = {"state": "Inactive", "reason": "double charges"}
    place.patch(kinds.ENVIRONMENT_STATE, "hello.local", {"overrides": {"ana": override}})
    place.await_quiet()
    place.write("all.yaml", ENVIRONMENT, workflow(), state(), manifest("Rollout", "hello", {"percent": 50}))
    place.until(lambda: place.spec(kinds.ROLLOUT, "hello")["percent"] == 50, "the file's change")
    place.await_quiet()
    assert place.spec(kinds.ROLLOUT, "hello")["stops"] == {"v7": {"attempt": 1, "reason": "5xx"}}
    assert place.spec(kinds.ENVIRONMENT_STATE, "hello.local")["overrides"] == {"ana": override}


def test_its_own_writes_are_no_drift(place: Place) -> None:
    place.write("all.yaml", ENVIRONMENT, workflow(), state(), manifest("Rollout", "hello", {"percent": 25}))
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    place.await_quiet()
    assert len(place.syncs) == 1
    assert place.syncs[0][1].problems == ()
