"""A cluster of an environment that dies, hangs or is away: it holds up its own runs alone, and they go on when it is back."""

from __future__ import annotations

import pytest

from tests.cluster.elsewhere import JOBS, Site

pytestmark = pytest.mark.cluster


def test_a_cluster_that_dies_holds_up_nobody_else_and_what_runs_there_goes_on(site: Site) -> None:
    running = site.space.start("slow", environment="far")
    site.space.wait_phase(running, "Running")
    site.away.plane.apiserver.kill()
    stuck = site.hello()
    shown = site.space.wait_condition(stuck, "Ready", reason="ClusterUnreachable")
    assert "the cluster of Secret far can't be reached" in shown["message"]
    assert site.space.wait_ended(site.hello("local"))["status"]["phase"] == "Succeeded"
    assert site.space.wait_ended(running)["status"]["phase"] == "Succeeded", "its pod reaches the controller"
    site.space.apply_workflow("later", "output = 1")
    site.space.wait_published("later", "v1")

    site.away.plane.apiserver.start()
    ended = site.space.wait_ended(stuck)
    assert ended["status"]["phase"] == "Succeeded"
    assert len(site.away.jobs(ended)) == 1


def test_a_cluster_that_hangs_holds_up_nobody_else(site: Site) -> None:
    site.away.plane.apiserver.pause()
    stuck = [site.hello() for _ in range(12)]
    near = [site.hello("local") for _ in range(4)]
    assert {site.space.wait_ended(run)["status"]["phase"] for run in near} == {"Succeeded"}
    for run in stuck[:2]:
        site.space.wait_condition(run, "Ready", reason="ClusterUnreachable")

    site.away.plane.apiserver.resume()
    ended = [site.space.wait_ended(run) for run in stuck]
    assert {run["status"]["phase"] for run in ended} == {"Succeeded"}
    assert [len(site.away.jobs(run)) for run in ended] == [1] * 12, "one was launched twice"


def test_an_environment_whose_cluster_is_away_says_so_until_it_is_back(site: Site) -> None:
    site.away.plane.apiserver.kill()
    site.declare("also")
    assert "can't be reached" in site.wait_ready("also", "ClusterUnreachable")

    site.away.plane.apiserver.start()
    site.wait_ready("also")


def test_a_new_controller_waits_for_the_cluster_and_adopts_what_is_still_there(site: Site) -> None:
    space = site.space
    kept, lost = (space.start("slow", environment="far") for _ in range(2))
    for run in (kept, lost):
        space.wait_phase(run, "Running")
    site.controller.kill()
    (job,) = site.away.jobs(space.run(lost))
    site.away.kubectl("delete", "job", job["metadata"]["name"], f"--namespace={JOBS}")
    site.away.plane.apiserver.kill()
    site.controller.start()
    space.wait_condition(kept, "Ready", reason="ClusterUnreachable")
    assert space.run(kept)["status"]["phase"] == "Running", "as far as anybody knows"

    site.away.plane.apiserver.start()
    ended = {run: space.wait_ended(run) for run in (kept, lost)}
    assert [run["status"]["phase"] for run in ended.values()] == ["Succeeded"] * 2
    (first,) = site.away.jobs(ended[kept])
    assert first["metadata"]["labels"]["sluice.dev/epoch"] == "1"
    (second,) = site.away.jobs(ended[lost])
    assert second["metadata"]["labels"]["sluice.dev/epoch"] == "2"


def test_a_deleted_run_waits_for_its_cluster_and_takes_its_job_with_it(site: Site) -> None:
    space = site.space
    run = space.start("slow", environment="far")
    found = space.wait_phase(run, "Running")
    site.away.plane.apiserver.kill()
    site.delete_run(run)
    shown = space.wait_condition(run, "Ready", reason="ClusterUnreachable")
    assert shown["message"].startswith("it is being deleted once its Jobs are: ")

    site.away.plane.apiserver.start()
    space.wait_for(lambda: not site.is_there(run), "the run is gone")
    space.wait_for(lambda: not site.away.jobs(found), "its Job is gone")
