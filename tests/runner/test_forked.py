"""The Runner's process as the first process of a container sees it."""

from __future__ import annotations

import subprocess
import sys


def test_a_pod_buries_orphans_that_are_not_its_own() -> None:
    """The Runner leaves a child behind; the first process of a container is the one to bury it."""
    program = """
import os, socket
from sluice.runner.forked import RunnerProcess
from sluice.runner.sandbox import adopt_orphans
adopt_orphans()
pid = os.fork()
if pid == 0:
    if os.fork() == 0:
        os._exit(7)
    os._exit(3)
runner = RunnerProcess(pid, socket.socketpair()[0])
while True:
    runner.reap()
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        break
print(runner.describe_end())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "ended itself with exit status 3"
