from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sluice.adapters.local.launcher import LocalLauncher
from sluice.ports.launcher import Launcher, SegmentSink
from tests.contracts.launcher.sinks import Sink

MakeLauncher = Callable[[SegmentSink], Launcher]


@pytest.fixture(params=["local"])
def make_launcher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLauncher]:
    """Makes launchers that are closed at the end, one kind after the other."""
    with ExitStack() as stack:

        def local(sink: SegmentSink) -> Launcher:
            return stack.enter_context(closing(LocalLauncher(sink, scratch=tmp_path, keep=0.2)))

        yield {"local": local}[request.param]


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def launcher(make_launcher: MakeLauncher, sink: Sink) -> Launcher:
    return make_launcher(sink)
