"""The same kubectl commands on the embedded server and on a real API server come to the same."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.cluster.parity.outcomes import Command, Kubectl
from tests.cluster.parity.scenarios import NAMESPACE, SCENARIOS
from tests.cluster.sharing import ControlPlane

pytestmark = pytest.mark.cluster

INSTALLED = Path("/usr/bin/kubectl")


@dataclass(frozen=True, slots=True)
class Both:
    """The same kubectl on both servers, in namespaces of the same name that nothing else uses."""

    embedded: Kubectl
    real: Kubectl

    def difference(self, command: Command) -> str:
        """Run it on both; how they differ, line by line, or nothing."""
        here = replace(command, stdin=command.stdin.replace(NAMESPACE, self.real.namespace))
        embedded, real = (str(kubectl.run(here)).splitlines() for kubectl in (self.embedded, self.real))
        shown = "\n".join(unified_diff(embedded, real, "embedded", "real", lineterm=""))
        return f"kubectl {command.words}\n{shown}\n" if shown else ""


@pytest.fixture(params=["installed", "built"])
def both(request: pytest.FixtureRequest, embedded: Path, control_plane: ControlPlane, tmp_path: Path) -> Iterator[Both]:
    program = INSTALLED if request.param == "installed" else control_plane.kubectl
    namespace = f"{NAMESPACE}-{uuid.uuid4().hex[:8]}"
    pair = Both(
        Kubectl(program, embedded, tmp_path / "embedded", namespace),
        Kubectl(program, control_plane.kubeconfig, tmp_path / "real", namespace),
    )
    for kubectl in (pair.embedded, pair.real):
        kubectl.home.mkdir()
        assert kubectl.run(Command(f"create namespace {namespace}")).code == 0
    yield pair
    for kubectl in (pair.embedded, pair.real):
        kubectl.run(Command(f"delete namespace {namespace} --wait=false"))


@pytest.mark.parametrize("story", SCENARIOS)
def test_both_servers_answer_alike(both: Both, story: str) -> None:
    differences = "".join(both.difference(command) for command in SCENARIOS[story])
    assert not differences, differences
