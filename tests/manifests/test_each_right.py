"""Each right of the controller is taken away in turn: what needs it fails, says so, and comes about once it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contracts.store.builders import eventually
from tests.manifests import rights_at_work, rights_to_launch, rights_to_start
from tests.manifests.rights import NEEDS, Need, Scenario
from tests.manifests.site import Site, running_site

pytestmark = pytest.mark.cluster

STARTING: dict[Scenario, Callable[[Site, Need], None]] = {
    Scenario.START: rights_to_start.start,
    Scenario.START_UNSTREAMED: rights_to_start.start,
    Scenario.WATCH_PODS: rights_to_start.lead,
    Scenario.LEAD: rights_to_start.lead,
    Scenario.CERTIFY: rights_to_start.certify,
    Scenario.VALIDATE: rights_to_start.be_trusted,
    Scenario.SWEEP_UP: rights_to_start.sweep_up,
}
"""Each starts the controller as it needs it."""
WORKING: dict[Scenario, Callable[[Site, Need], None]] = {
    Scenario.HEAR: rights_to_start.hear,
    Scenario.HEAR_UNSTREAMED: rights_to_start.hear,
    Scenario.PUBLISH: rights_at_work.publish,
    Scenario.OWN_BLOCKING: rights_at_work.publish,
    Scenario.SHOW: rights_at_work.show,
    Scenario.TELL: rights_at_work.tell,
    Scenario.LET_GO: rights_at_work.let_go,
    Scenario.PIN: rights_at_work.pin,
    Scenario.TURN_AWAY: rights_at_work.turn_away,
    Scenario.SWEEP: rights_at_work.sweep,
    Scenario.LAUNCH: rights_to_launch.launch,
    Scenario.CALL_OFF: rights_to_launch.call_off,
    Scenario.ADOPT: rights_to_launch.adopt,
    Scenario.EXPLAIN: rights_to_launch.explain,
    Scenario.CONFINE: rights_to_launch.confine,
    Scenario.CONNECT: rights_to_launch.connect,
    Scenario.STEP_LOG: rights_to_launch.read_log,
    Scenario.ASK: rights_to_launch.ask,
}
"""Each takes a controller that leads."""
STRICT = {Scenario.START_UNSTREAMED, Scenario.HEAR_UNSTREAMED, Scenario.OWN_BLOCKING}
"""Those that tell anything only where the API server has these flags."""
FLAGS = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement --feature-gates=WatchList=false"
SAMPLE = {"create workflowversions", "delete jobs", "update secrets sluice-controller-tls"}
"""One right of each role."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def strict_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site"), flags=FLAGS) as made:
        yield made


def name_of(need: Need) -> str:
    return f"{need.verb} {need.resource} {need.name}".strip()


def cases(*, strict: bool) -> list[Any]:
    """Those of one kind of API server; first those that start the controller."""
    chosen = [need for need in NEEDS if (need.scenario in STRICT) == strict]
    return [
        pytest.param(need, id=name_of(need), marks=[] if name_of(need) in SAMPLE else pytest.mark.full)
        for need in sorted(chosen, key=lambda need: need.scenario in WORKING)
    ]


def check(site: Site, need: Need) -> None:
    if need.scenario in WORKING:
        site.begin().result()
        eventually(lambda: site.leads(site.controller), "the controller leads")
    (STARTING | WORKING)[need.scenario](site, need)


def test_it_is_known_of_every_right_how_its_lack_shows() -> None:
    assert STARTING.keys() | WORKING.keys() == set(Scenario)


@pytest.mark.parametrize("need", cases(strict=False))
def test_without_one_right_something_fails(need: Need, site: Site) -> None:
    check(site, need)


@pytest.mark.parametrize("need", cases(strict=True))
def test_without_one_right_something_fails_on_a_strict_api_server(need: Need, strict_site: Site) -> None:
    check(strict_site, need)
