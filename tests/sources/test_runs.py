"""A run in the folder is made once for what it says, and left alone after (DESIGN 3, sources)."""

from __future__ import annotations

from sluice.api import kinds
from sluice.ports.store import Obj, Ref
from tests.sources.place import ENVIRONMENT, NAMESPACE, Place, manifest, workflow


def declared(payload: int) -> Obj:
    given = {"workflow": "hello", "environment": "local", "payload": {"n": payload}}
    return manifest("WorkflowRun", "import", {"input": given})


def ended(place: Place) -> list[str]:
    runs = place.store.list(kinds.WORKFLOW_RUN, NAMESPACE).items
    return [run["metadata"]["name"] for run in runs if run.get("status", {}).get("phase") == "Succeeded"]


def test_a_run_is_made_once_per_content_also_after_its_object_is_gone(place: Place) -> None:
    environment = {**ENVIRONMENT, "spec": {**ENVIRONMENT["spec"], "defaultState": "Active"}}
    place.write("all.yaml", environment, workflow(), declared(1))
    place.follow()
    place.until(lambda: len(ended(place)) == 1, "the run has ended")
    (first,) = ended(place)
    assert first.startswith("import-")

    place.write("all.yaml", environment, workflow(code="output = 2"), declared(1))
    place.until(lambda: place.live() == "v2", "the second version")
    assert place.names(kinds.WORKFLOW_RUN) == [first]

    place.store.delete(Ref(kinds.WORKFLOW_RUN, NAMESPACE, first))
    place.until(lambda: place.names(kinds.WORKFLOW_RUN) == [], "the object is gone, as retention has it")
    place.write("all.yaml", environment, workflow(code="output = 3"), declared(1))
    place.until(lambda: place.live() == "v3", "the third version")
    place.await_quiet()
    assert place.names(kinds.WORKFLOW_RUN) == []

    place.write("all.yaml", environment, workflow(code="output = 3"), declared(2))
    place.until(lambda: len(ended(place)) == 1, "another content is another run")
    assert ended(place) != [first]


def test_a_run_that_left_the_folder_stays(place: Place) -> None:
    environment = {**ENVIRONMENT, "spec": {**ENVIRONMENT["spec"], "defaultState": "Active"}}
    place.write("all.yaml", environment, workflow())
    run = place.write("run.yaml", declared(1))
    place.follow()
    place.until(lambda: len(ended(place)) == 1, "the run has ended")
    run.unlink()
    syncs = place.await_sync(lambda tree, _: len(tree.objects) == 2)
    place.await_quiet()
    assert len(ended(place)) == 1
    assert not any(applied.pruned for _, applied in place.syncs[syncs - 1 :])
