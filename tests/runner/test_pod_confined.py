"""A pod as Kubernetes starts it: first process, another user, no capabilities, a root that can't be written to."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.launcher.segments import definition, python
from tests.runner.authority import Vouched
from tests.runner.playing import Played, playing
from tests.runner.pods import arguments, process, words
from tests.runner.test_sandbox import TRY

USER = 65532
AS_USER = [
    "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
    "--no-new-privs", sys.executable,
]  # fmt: skip
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
CONFINE = "mount -t proc proc /proc && mount --bind {scratch} {scratch} && mount -o remount,ro,bind / && exec {command}"


@pytest.fixture(autouse=True, scope="module")
def confinable() -> None:
    """Root on a Linux that allows it, and a Python that the other user may run."""
    if os.geteuid() != 0 or not (shutil.which("setpriv") and shutil.which("unshare")):
        pytest.skip("needs root, setpriv and unshare")
    spaces = subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False)
    other = subprocess.run([*AS_USER, "-c", "import sluice.runner.main"], capture_output=True, check=False, cwd="/")
    if spaces.returncode or other.returncode:
        pytest.skip("needs namespaces, and a Python that anybody may run")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that another user may enter, and whose scratch is that user's."""
    with tempfile.TemporaryDirectory(prefix="sluice-confined-", dir="/tmp") as made:
        path = Path(made)
        path.chmod(0o755)
        (path / "scratch").mkdir()
        os.chown(path / "scratch", USER, USER)
        yield path


def test_a_confined_pod_runs_every_kind_of_step_and_keeps_its_walls(vouched: Vouched, folder: Path) -> None:
    unreachable = {"name": "call", "needs": [], "action": {"http": {"url": "http://127.0.0.1:1/"}}}
    graph = definition(
        python("a", "output = sum(range(10))"),
        python("zone", "import zoneinfo\noutput = zoneinfo.ZoneInfo('Europe/Berlin').key"),
        python("greedy", "output = len(bytearray(10**9))", onError={"action": "Continue"}),
        unreachable | {"onError": {"action": "Continue"}},
    )
    played = Played(graph)
    with playing(played, vouched):
        told = arguments(played.url, vouched, folder)
        command = shlex.join([*AS_USER, "-m", "sluice.runner.pod", *words(told)])
        confined = CONFINE.format(scratch=told["scratch"], command=command)
        with process([*NAMESPACES, "sh", "-c", confined], folder) as runs:
            assert runs.wait() == 0, runs.printed
    ended = {event.step: event.body for event in played.ledger if event.kind == "StepEnded"}
    assert (ended["a"]["output"], ended["zone"]["output"]) == (45, "Europe/Berlin")
    assert (ended["greedy"]["reason"], ended["call"]["reason"]) == ("StepOOM", "HttpUnreachable")
    assert played.closed


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("protection", "Protection(no_new_privileges=True, landlock=True, seccomp=True)"),
        ("open('/proc/self/environ').read()", "PermissionError"),
        ("os.listdir('/var/run')", "PermissionError"),
        ("os.fork()", "PermissionError"),
        ("threading.Thread(target=print).start()", "RuntimeError"),
        ("Path(scratch, 'x').write_text('mine')", "4"),
    ],
)
def test_the_walls_of_a_worker_need_no_right(expression: str, answer: str, folder: Path) -> None:
    command = [*AS_USER, "-c", TRY, expression, str(folder / "scratch"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd="/")
    assert done.stdout.strip() == answer, done.stderr
