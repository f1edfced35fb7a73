"""Manifests may name namespaces of their own, and bring them along."""

from __future__ import annotations

from tests.sources.place import ENVIRONMENT, Place, workflow


def test_a_namespace_that_is_missing_is_named_in_one_line(place: Place) -> None:
    place.write("all.yaml", ENVIRONMENT, workflow("away", namespace="elsewhere"), workflow())
    place.follow()
    at = place.await_sync(lambda _, applied: bool(applied.problems))
    (problem,) = place.syncs[at - 1][1].problems
    assert problem.startswith("all.yaml:12: there is no namespace elsewhere for workflow/away; declare it"), problem
    place.until(lambda: place.live() == "v1", "the others are applied")


def test_a_namespace_of_the_folder_is_made_before_what_stands_in_it(place: Place) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}}
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s", "namespace": "elsewhere"}}
    environment = {**ENVIRONMENT, "metadata": {"name": "local", "namespace": "elsewhere"}}
    place.write("a.yaml", workflow("away", namespace="elsewhere"), environment, settings)
    place.write("z.yaml", space)
    place.follow()
    place.until(lambda: place.live("away", "elsewhere") == "v1", "the workflow is published there")
    assert place.syncs[0][1].problems == ()
