"""Nothing opens by accident: rollouts and deactivations first, then workflows, and activations after the publish."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sluice.api import kinds
from sluice.ports.source import SourceObject
from sluice.ports.store import Obj, Ref, WatchEvent
from sluice.reconcilers.sources.plan import plan_apply, ref_of
from tests.sources.place import ENVIRONMENT, Place, manifest, state, workflow

SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
RUN = manifest("WorkflowRun", "once", {"input": {"workflow": "hello"}})
OFF = state("Inactive", "other.local")
ON = state("Active", "hello.local")
HELD = state("Active", "third.local", overrides={"ana": {"state": "Inactive"}})
ROLLOUT = manifest("Rollout", "hello", {"percent": 25})
EVERYTHING = [ON, RUN, workflow(), OFF, HELD, ROLLOUT, SETTINGS, ENVIRONMENT, SPACE]


def planned(*objects: Obj) -> list[list[str]]:
    plan = plan_apply([SourceObject(obj, "file:1") for obj in objects], [], namespace="default")
    stages = (plan.before, plan.workflows, plan.after, plan.runs)
    return [[declared.obj["metadata"]["name"] for declared in stage] for stage in stages]


@given(st.permutations(EVERYTHING))
def test_the_order_is_that_of_what_opens_whatever_the_order_of_files(objects: list[Obj]) -> None:
    before, workflows, after, runs = planned(*objects)
    assert before[:3] == ["default", "settings", "local"]
    assert sorted(before[3:]) == ["hello", "other.local", "third.local"]
    assert (workflows, after, runs) == (["hello"], ["hello.local"], ["once"])


@given(st.sets(st.sampled_from(range(len(EVERYTHING)))), st.sets(st.sampled_from(range(len(EVERYTHING)))))
def test_what_is_applied_is_pruned_once_it_is_not_declared_and_runs_never(first: set[int], second: set[int]) -> None:
    declared = [SourceObject(EVERYTHING[at], "file:1") for at in sorted(second)]
    inventory = [ref_of(EVERYTHING[at], "default") for at in sorted(first) if EVERYTHING[at] is not RUN]
    plan = plan_apply(declared, inventory, namespace="default")
    missing = set(inventory) - {ref_of(one.obj, "default") for one in declared}
    assert set(plan.prune) == (missing if declared else set())
    assert bool(plan.refused) == (bool(missing) and not declared)
    assert all(kind.kind != "WorkflowRun" for kind in (ref.kind for ref in plan.prune))


def test_objects_of_one_name_in_two_namespaces_are_two() -> None:
    ref = Ref(kinds.WORKFLOW, "elsewhere", "hello")
    plan = plan_apply([SourceObject(workflow(), "file:1")], [ref], namespace="default")
    assert plan.prune == (ref,)


def test_an_activation_is_written_after_the_version_it_lets_run(place: Place) -> None:
    events: list[tuple[str, str]] = []

    def note(event: WatchEvent) -> None:
        obj = event.object
        live = obj["kind"] == "Workflow" and obj.get("status", {}).get("live")
        if event.type == "ADDED" or live:
            events.append((f"{obj['kind']} {live}" if live else obj["kind"], obj["metadata"]["name"]))

    subscription = place.embedded.store.subscribe(
        [kinds.ENVIRONMENT, kinds.ROLLOUT, kinds.ENVIRONMENT_STATE, kinds.WORKFLOW, kinds.WORKFLOW_VERSION], note
    )
    place.write(
        "all.yaml", state(), state("Inactive", "other.local"), workflow(), workflow("other"), ROLLOUT, ENVIRONMENT
    )
    place.follow()
    place.await_sync(lambda _, applied: "environmentstate/hello.local" in applied.changed)
    subscription.close()
    order = [
        ("Environment", "local"),
        ("EnvironmentState", "other.local"),
        ("Workflow", "hello"),
        ("WorkflowVersion", "hello-v1"),
        ("Workflow v1", "hello"),
        ("EnvironmentState", "hello.local"),
    ]
    at = [events.index(one) for one in order]
    assert all(a < b for a, b in itertools.pairwise(at)), events
    assert events.index(("Rollout", "hello")) < events.index(("Workflow", "hello"))
