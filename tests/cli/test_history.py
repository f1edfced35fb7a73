from __future__ import annotations

import json

import yaml

from sluice.api.kinds import WORKFLOW_VERSION
from sluice.domain.definition.canonical import canonicalize
from tests.cli.place import ANA, AT, DIGESTS, STEP, Place, call, version, workflow


def test_history_tells_who_published_what_when_newest_first(place: Place) -> None:
    """R046, R047."""
    place.make(workflow())
    place.publish(1)
    place.make(version(2, revertOf="v1", source={"manager": "sluice-git/main", "revision": "main@sha1:abc"}))
    place.report(WORKFLOW_VERSION, "support-v2", phase="Live", outcome="Completed", id="wflv_2")
    lines = [line.split() for line in call("versions", "support").stdout.splitlines()]
    assert lines[0] == ["VERSION", "ID", "DIGEST", "BY", "AT", "PHASE", "OUTCOME", "REVERT", "OF", "SOURCE"]
    assert lines[1] == ["v2", "wflv_2", DIGESTS[2][:19], ANA, AT, "Live", "Completed", "v1", "main@sha1:abc"]
    assert lines[2] == ["v1", "wflv_1", DIGESTS[1][:19], ANA, AT, "Published"]


def test_wide_history_shows_whole_digests_and_reasons(place: Place) -> None:
    place.make(workflow(), version(1, reason="first"))
    shown = call("versions", "support", "-o", "wide").stdout
    assert DIGESTS[1] in shown
    assert shown.splitlines()[1].endswith("first")


def test_history_as_json_is_the_objects(place: Place) -> None:
    place.make(workflow(), version(1), version(2))
    shown = json.loads(call("versions", "support", "-o", "json").stdout)
    assert [item["metadata"]["name"] for item in shown["items"]] == ["support-v2", "support-v1"]


def test_only_the_workflows_own_versions_are_listed(place: Place) -> None:
    place.make(workflow(), workflow("billing"), version(1), version(1, "billing"))
    assert call("versions", "support", "-o", "name").stdout == "workflowversion.sluice.dev/support-v1\n"


def test_show_prints_the_definition_as_it_stands_in_a_manifest(place: Place) -> None:
    place.make(workflow(), version(1))
    for label in ("v1", "1", "V1"):
        assert yaml.safe_load(call("show", "support", label).stdout) == canonicalize({"steps": [STEP]})


def test_show_prints_the_whole_object_on_request(place: Place) -> None:
    place.make(workflow(), version(1))
    assert yaml.safe_load(call("show", "support", "v1", "-o", "yaml").stdout)["spec"]["number"] == 1


def test_what_is_not_there_is_answered_with_what_is(place: Place) -> None:
    place.make(workflow(), version(1))
    missing = call("show", "support", "v9")
    assert (missing.exit_code, missing.stderr) == (1, "error: there is no version v9 of support; there are: v1\n")
    unknown = call("versions", "suport")
    assert unknown.stderr == ("error: there is no workflow suport in the namespace default; there are: support\n")
    assert call("show", "support", "latest").exit_code == 2
