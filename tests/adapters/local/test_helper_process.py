"""Heavy work in another process: its answers, its errors, its death."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from sluice.adapters.local.helper_process import HelperDiedError, HelperProcess


@pytest.fixture
def helper() -> Iterator[HelperProcess]:
    made = HelperProcess()
    yield made
    made.close()


def test_a_call_is_answered_by_another_process(helper: HelperProcess) -> None:
    assert helper.call(os.getpid) != os.getpid()
    assert helper.call(divmod, 7, 2) == (3, 1)


def test_what_a_call_raises_is_raised_here(helper: HelperProcess) -> None:
    with pytest.raises(ZeroDivisionError):
        helper.call(divmod, 1, 0)
    assert helper.call(divmod, 7, 2) == (3, 1)


def test_work_goes_on_in_a_fresh_process_when_one_dies(helper: HelperProcess) -> None:
    pid = helper.call(os.getpid)
    os.kill(pid, signal.SIGKILL)

    assert helper.call(os.getpid) not in {os.getpid(), pid}


def test_work_that_ends_its_process_is_not_done_here(helper: HelperProcess) -> None:
    with pytest.raises(HelperDiedError):
        helper.call(os._exit, 3)
    assert helper.call(divmod, 7, 2) == (3, 1)


def test_after_closing_no_process_is_left(helper: HelperProcess) -> None:
    pid = helper.call(os.getpid)
    helper.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(HelperDiedError):
        helper.call(os.getpid)
