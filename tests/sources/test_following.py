"""A folder is followed while it changes in every way that folders change."""

from __future__ import annotations

import os

from sluice.api import kinds
from tests.sources.place import ENVIRONMENT, Place, workflow


def test_a_file_that_appears_is_applied(place: Place) -> None:
    place.write("environment.yaml", ENVIRONMENT)
    place.follow()
    place.await_sync(lambda _, applied: applied.changed == ("environment/local",))
    place.write("team/hello.yaml", workflow())
    place.until(lambda: place.live() == "v1", "the new file's workflow")


def test_rapid_edits_end_in_the_last_one(place: Place) -> None:
    """Drafts overwritten before they were seen are no versions (DESIGN 4)."""
    place.write("environment.yaml", ENVIRONMENT)
    place.write("hello.yaml", workflow())
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    for number in range(2, 22):
        place.write("hello.yaml", workflow(code=f"output = {number}"))
    place.until(lambda: place.code() == "output = 21", "the last edit is the draft")
    place.await_quiet()
    versions = place.store.list(kinds.WORKFLOW_VERSION, "default").items
    newest = max(versions, key=lambda obj: obj["spec"]["number"])
    code = newest["spec"]["definition"]["steps"][0]["action"]["python"]["code"]
    assert (code, place.live()) == ("output = 21", f"v{newest['spec']['number']}")
    assert [obj["spec"]["number"] for obj in versions] == list(range(1, len(versions) + 1))
    assert len(versions) <= 21


def test_a_bad_file_leaves_everything_and_a_mended_one_goes_on(place: Place) -> None:
    """R033: invalid configuration changes nothing that runs."""
    place.write("all.yaml", ENVIRONMENT, workflow())
    place.follow()
    place.until(lambda: place.live() == "v1", "the first version")
    before = place.get(kinds.WORKFLOW, "hello")
    place.write("new.yaml", workflow("new"))
    place.write("bad.yaml", workflow("bad", code="if"))
    at = place.await_sync(lambda tree, _: bool(tree.errors))
    (line,) = place.syncs[at - 1][0].errors
    assert line.startswith("bad.yaml:"), line
    assert ": spec.definition.steps[0].action.python.code: " in line
    assert place.get(kinds.WORKFLOW, "hello") == before
    place.write("bad.yaml", workflow("bad"))
    place.until(lambda: place.live("bad") == "v1", "the mended file")
    assert "new" in place.names(kinds.WORKFLOW)


def test_a_folder_behind_links_is_followed_when_the_link_turns(place: Place) -> None:
    """As Kubernetes mounts a ConfigMap: `..data` leads to the newest folder."""
    for edition in (1, 2):
        place.write(f"..{edition}/hello.yaml", ENVIRONMENT, workflow(code=f"output = {edition}"))
    (place.folder / "..data").symlink_to("..1")
    (place.folder / "hello.yaml").symlink_to("..data/hello.yaml")
    linked = place.folder.parent / "linked"
    linked.symlink_to(place.folder)
    place.follow(linked)
    place.until(lambda: place.live() == "v1", "the first edition")
    (place.folder / "..new").symlink_to("..2")
    (place.folder / "..new").rename(place.folder / "..data")
    place.until(lambda: place.live() == "v2", "the second edition")
    assert place.code() == "output = 2"


def test_a_file_that_can_be_read_again_is_read(place: Place) -> None:
    file = place.write("all.yaml", ENVIRONMENT, workflow())
    target = file.rename(place.folder / ".kept")
    os.symlink("gone", file)
    place.follow()
    place.await_sync(lambda tree, _: any("can't be followed" in line for line in tree.errors))
    file.unlink()
    target.rename(file)
    place.until(lambda: place.live() == "v1", "the file that is there again")
