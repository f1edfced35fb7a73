"""The pod of a step with an image of its own, field by field where a promise rests on the field."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.launching.names import segment_of
from sluice.domain.launching.programs import Program
from sluice.domain.launching.step_pods import KEPT_S, StepPod, manifest_of, unit_of
from tests.domain.launching.builders import INSTALLATION, placement, segment
from tests.domain.launching.test_pods import container_of, made, spec_of, template_metadata

PROGRAM = Program("example.com/tool:1", ("run",), ("$(HOME)", "$5"), {"PRICE": "$5", "WHO": "$(WHO)"})


def step(program: Program = PROGRAM, *, timeout_s: int = 0, **spec: Any) -> dict[str, Any]:
    unit = unit_of("deploy", 2)
    made = StepPod(segment(unit=unit, epoch=3), program, placement(**spec), timeout_s)
    return manifest_of(made, INSTALLATION)


LAUNCHES = pytest.mark.parametrize("launch", ["Job", "Pod"])


@LAUNCHES
def test_it_is_as_restricted_as_a_runners_pod(launch: str) -> None:
    ours, runners = step(launch=launch), made()
    assert container_of(ours)["securityContext"] == container_of(runners)["securityContext"]
    assert spec_of(ours)["securityContext"] == spec_of(runners)["securityContext"]
    assert spec_of(ours)["automountServiceAccountToken"] is False


@LAUNCHES
def test_there_is_no_token_and_nothing_of_the_controller_in_it(launch: str) -> None:
    pod = step(launch=launch)
    assert [volume["name"] for volume in spec_of(pod)["volumes"]] == ["scratch"]
    assert {entry["name"] for entry in container_of(pod)["env"]} == {"HOME", "TMPDIR", "PRICE", "WHO"}


@LAUNCHES
def test_its_labels_lead_back_to_the_attempt(launch: str) -> None:
    for metadata in (step(launch=launch)["metadata"], template_metadata(step(launch=launch))):
        key = segment_of(metadata["labels"])
        assert key is not None
        assert (key.unit, key.epoch) == ("steps.deploy.2", 3)


def test_the_unit_of_the_longest_name_is_a_label() -> None:
    assert len(unit_of("s" * 40, 1000)) <= 63


def test_dollars_stay_what_they_are() -> None:
    container = container_of(step())
    assert container["args"] == ["$$(HOME)", "$$5"]
    assert {entry["name"]: entry["value"] for entry in container["env"]}["WHO"] == "$$(WHO)"


def test_the_images_own_command_is_left_where_there_is_none() -> None:
    container = container_of(step(Program("example.com/tool:1")))
    assert not {"command", "args"} & container.keys()


def test_a_steps_own_variables_win_over_where_scratch_is() -> None:
    container = container_of(step(Program("x", env={"HOME": "/data"})))
    assert {"name": "HOME", "value": "/data"} in container["env"]


def test_the_output_is_what_the_kubelet_finds_in_the_named_file() -> None:
    container = container_of(step(Program("x", output_from="/tmp/out.json")))
    assert container["terminationMessagePath"] == "/tmp/out.json"
    assert container["terminationMessagePolicy"] == "File"
    plain = container_of(step(Program("x")))
    assert "terminationMessagePath" not in plain
    assert plain["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_there_is_room_to_write_where_programs_expect_it() -> None:
    mounts = container_of(step())["volumeMounts"]
    assert mounts == [{"name": "scratch", "mountPath": "/scratch"}, {"name": "scratch", "mountPath": "/tmp"}]


@pytest.mark.parametrize("path", ["/tmp", "/tmp/cache"])
def test_what_the_environment_mounts_there_stays(path: str) -> None:
    runner = {"volumes": [{"name": "own", "emptyDir": {}}], "volumeMounts": [{"name": "own", "mountPath": path}]}
    mounts = [mount["mountPath"] for mount in container_of(step(runner=runner))["volumeMounts"]]
    assert mounts == ["/scratch", path]


def test_it_gets_what_the_environment_gives_to_runners() -> None:
    runner = {
        "resources": {"requests": {"cpu": "2"}, "limits": {"memory": "3Gi"}},
        "imagePullSecrets": ["pull"],
        "nodeSelector": {"pool": "runs"},
        "serviceAccountName": "deployer",
    }
    ours, runners = step(runner=runner), made(runner=runner)
    assert container_of(ours)["resources"] == container_of(runners)["resources"]
    for name in ("imagePullSecrets", "nodeSelector", "serviceAccountName"):
        assert spec_of(ours)[name] == spec_of(runners)[name]


def test_the_runners_image_and_pull_policy_are_the_runners() -> None:
    container = container_of(step(runner={"image": "example.com/runner:1", "imagePullPolicy": "Always"}))
    assert container["image"] == "example.com/tool:1"
    assert "imagePullPolicy" not in container


@LAUNCHES
def test_the_steps_timeout_is_kept_by_the_node(launch: str) -> None:
    assert spec_of(step(launch=launch, timeout_s=90))["activeDeadlineSeconds"] == 90
    assert "activeDeadlineSeconds" not in spec_of(step(launch=launch))


def test_a_job_stays_until_its_end_can_have_been_recorded() -> None:
    assert step(runner={"ttlSecondsAfterFinished": 0})["spec"]["ttlSecondsAfterFinished"] == KEPT_S
    longer = KEPT_S + 1
    assert step(runner={"ttlSecondsAfterFinished": longer})["spec"]["ttlSecondsAfterFinished"] == longer
