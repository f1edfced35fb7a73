from __future__ import annotations

import datetime as dt

from sluice.api.kinds import WORKFLOW
from sluice.cli.describing import age_of, described
from sluice.ports.store import Obj
from tests.cli.place import AT, Place, call, manifest, workflow

NOW = dt.datetime(2026, 1, 31, 10, 30, tzinfo=dt.UTC)


def event(obj: Obj, reason: str, at: str) -> Obj:
    metadata = obj["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"event-{reason.lower()}", "namespace": "default"},
        "involvedObject": {"kind": "Workflow", "name": metadata["name"], "uid": metadata["uid"]},
        "type": "Normal",
        "reason": reason,
        "message": f"it was {reason}",
        "lastTimestamp": at,
    }


def test_everything_about_an_object_is_told() -> None:
    obj = manifest("Workflow", "support", {"owner": "ana"}, labels={"team": "a"}, creationTimestamp=AT, uid="u1")
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Succeeded",
        "lastTransitionTime": AT,
        "message": "v1 is live",
    }
    obj["status"] = {"phase": "Deployed", "conditions": [condition]}
    lines = described(obj, [event(obj, "Published", AT)], NOW)
    assert lines == [
        "Name:         support",
        "Namespace:    default",
        "Kind:         Workflow.sluice.dev/v1alpha1",
        f"Created:      {AT}",
        "Labels:       team=a",
        "Annotations:  <none>",
        "Metadata:",
        "  uid: u1",
        "Spec:",
        "  owner: ana",
        "Status:",
        "  phase: Deployed",
        "Conditions:",
        "  TYPE    STATUS   REASON      SINCE                  MESSAGE",
        f"  Ready   True     Succeeded   {AT}   v1 is live",
        "Events:",
        "  AGE     TYPE     REASON      MESSAGE",
        "  2h30m   Normal   Published   it was Published",
    ]


def test_ages_are_rough_and_unreadable_times_are_empty() -> None:
    assert age_of("2026-01-29T08:00:01Z", NOW) == "2d2h"
    assert age_of("2027-01-01T00:00:00Z", NOW) == "0s"
    assert age_of("", NOW) == ""


def test_only_the_objects_own_events_are_shown_oldest_first(place: Place) -> None:
    place.make(workflow(), workflow("billing"))
    support, billing = place.get(WORKFLOW, "support"), place.get(WORKFLOW, "billing")
    events = [
        event(support, "Published", "2026-01-31T08:00:00Z"),
        event(support, "Created", "2026-01-30T08:00:00Z"),
        event(billing, "Stopped", "2026-01-30T08:00:00Z"),
    ]
    place.make(*events)
    shown = call("describe", "workflow", "support").stdout.splitlines()
    at = shown.index("Events:")
    assert [line.split()[2] for line in shown[at + 2 :]] == ["Created", "Published"]
    assert "Events:" not in call("describe", "workflow", "support", "--no-events").stdout


def test_several_objects_are_told_one_after_the_other(place: Place) -> None:
    place.make(workflow(), workflow("billing"))
    shown = call("describe", "workflows").stdout
    assert [line for line in shown.splitlines() if line.startswith("Name:")] == [
        "Name:         billing",
        "Name:         support",
    ]


def test_nothing_to_describe_fails(place: Place) -> None:
    assert call("describe", "workflow", "nope").exit_code == 1
    result = call("describe", "workflows")
    assert (result.exit_code, result.stderr) == (1, "error: there are no workflows in the namespace default\n")
