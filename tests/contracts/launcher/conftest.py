from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sluice.adapters.local.launcher import LocalLauncher
from sluice.api.environment import Launch
from sluice.ports.launcher import Launcher, SegmentSink
from tests.cluster.launching import launching
from tests.contracts.launcher.sinks import Sink

MakeLauncher = Callable[[SegmentSink], Launcher]


@pytest.fixture(
    params=["local", *(pytest.param(kind, marks=pytest.mark.cluster) for kind in ("kubernetes-job", "kubernetes-pod"))]
)
def make_launcher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLauncher]:
    """Makes launchers that are closed at the end, one kind after the other."""
    with ExitStack() as stack:

        def local(sink: SegmentSink) -> Launcher:
            return stack.enter_context(closing(LocalLauncher(sink, scratch=tmp_path, keep=0.2)))

        def kubernetes(sink: SegmentSink) -> Launcher:
            launch = Launch.POD if request.param == "kubernetes-pod" else Launch.JOB
            plane = request.getfixturevalue("control_plane")
            return stack.enter_context(launching(plane, tmp_path, sink, launch=launch)).launcher

        yield local if request.param == "local" else kubernetes


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def launcher(make_launcher: MakeLauncher, sink: Sink) -> Launcher:
    return make_launcher(sink)
