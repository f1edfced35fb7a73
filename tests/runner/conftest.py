"""What tests of a runner pod share: an authority that makes certificates cheaply, once."""

from __future__ import annotations

import pytest

from tests.runner.authority import Vouched, vouch


@pytest.fixture(scope="session")
def vouched(tmp_path_factory: pytest.TempPathFactory) -> Vouched:
    """The authority of the controller that is played."""
    return vouch(tmp_path_factory.mktemp("authority"))
