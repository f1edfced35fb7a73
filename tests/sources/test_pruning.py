"""What left the folder goes, and nothing else does."""

from __future__ import annotations

import shutil

from sluice.api import kinds
from tests.sources.place import ENVIRONMENT, Place, manifest, workflow


def test_what_left_the_folder_goes(place: Place) -> None:
    place.write("environment.yaml", ENVIRONMENT)
    place.write("hello.yaml", workflow())
    gone = place.write("other.yaml", workflow("other"), manifest("Rollout", "other", {"percent": 25}))
    place.follow()
    place.until(lambda: place.live("other") == "v1", "the first version")
    place.store.create(workflow("mine", namespace="default"))
    gone.unlink()
    at = place.await_sync(lambda _, applied: bool(applied.pruned))
    assert place.syncs[at - 1][1].pruned == ("workflow/other", "rollout/other")
    place.until(lambda: place.names(kinds.WORKFLOW) == ["hello", "mine"], "the other one has gone")


def test_a_folder_that_is_emptied_prunes_nothing(place: Place) -> None:
    file = place.write("all.yaml", ENVIRONMENT, workflow())
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    file.unlink()
    at = place.await_sync(lambda _, applied: bool(applied.problems))
    (problem,) = place.syncs[at - 1][1].problems
    assert "2 objects were applied from here; they are left alone" in problem
    place.await_quiet()
    assert place.names(kinds.WORKFLOW) == ["hello"]


def test_a_folder_that_is_deleted_prunes_nothing_and_may_come_back(place: Place) -> None:
    place.write("all.yaml", ENVIRONMENT, workflow())
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    shutil.rmtree(place.folder)
    place.await_sync(lambda tree, _: any("no such file or folder" in line for line in tree.errors))
    assert place.names(kinds.WORKFLOW) == ["hello"]
    place.write("all.yaml", ENVIRONMENT, workflow(code="output = 2"))
    place.until(lambda: place.live() == "v2", "the folder is followed again")


def test_a_file_that_moves_moves_nothing(place: Place) -> None:
    place.write("environment.yaml", ENVIRONMENT)
    file = place.write("hello.yaml", workflow())
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    before = place.get(kinds.WORKFLOW, "hello")
    content = file.read_bytes()
    file.unlink()
    syncs = place.await_sync(lambda tree, _: len(tree.objects) == 1)
    (place.folder / "sub").mkdir()
    (place.folder / "sub" / "new.yaml").write_bytes(content)
    place.await_sync(lambda tree, _: len(tree.objects) == 2, since=syncs)
    place.await_quiet()
    assert place.get(kinds.WORKFLOW, "hello") == before
    assert not any(applied.pruned for _, applied in place.syncs)


def test_a_file_that_is_empty_for_a_moment_prunes_nothing(place: Place) -> None:
    place.write("environment.yaml", ENVIRONMENT)
    file = place.write("hello.yaml", workflow())
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    before = place.get(kinds.WORKFLOW, "hello")
    content = file.read_bytes()
    with file.open("wb") as opened:
        place.await_sync(lambda tree, _: len(tree.objects) == 1)
        opened.write(content)
    place.await_sync(lambda tree, _: len(tree.objects) == 2, since=len(place.syncs) - 1)
    place.await_quiet()
    assert place.get(kinds.WORKFLOW, "hello") == before


def test_an_object_of_another_source_stays_with_it(place: Place) -> None:
    other = workflow(namespace="default", labels={"sluice.dev/source": "dir-elsewhere"})
    place.store.create(other)
    place.write("hello.yaml", ENVIRONMENT, workflow(code="output = 2"))
    place.follow()
    at = place.await_sync(lambda _, applied: bool(applied.problems))
    (problem,) = place.syncs[at - 1][1].problems
    assert problem == ("hello.yaml:12: workflow/hello belongs to source dir-elsewhere; remove it there first"), problem
    assert place.code() == "output = 1"
    assert place.names(kinds.ENVIRONMENT) == ["local"]
