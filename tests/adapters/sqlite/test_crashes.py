"""A process killed between answered writes, and disks that fail: what was answered is there, the rest is not half."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sluice.api.kinds import CONFIG_MAP, WORKFLOW
from sluice.ports.errors import Unavailable
from sluice.ports.store import Ref
from tests.adapters.sqlite.stores import Opened, obj, workflow

CHILD = """
import sys, threading
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer

store = SqliteStore(Writer(sys.argv[1]))
said = threading.Lock()

def write(thread):
    for number in range(10_000):
        name = f"w{thread}-{number}"
        made = store.create({"apiVersion": "sluice.dev/v1alpha1", "kind": "Workflow",
                             "metadata": {"name": name, "namespace": "default"}, "spec": {"n": 0}})
        made["spec"]["n"] = 1
        made = store.update(made)
        with said:
            print(name, made["metadata"]["resourceVersion"], flush=True)

for thread in range(4):
    threading.Thread(target=write, args=(thread,)).start()
"""


@pytest.mark.parametrize("answers", [1, 17, 60])
def test_what_was_answered_survives_a_kill(tmp_path: Path, answers: int) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path / "a.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(answers)]
        os.kill(child.pid, signal.SIGKILL)
        lines += [line for line in child.stdout if line.endswith("\n")]
    with Opened(tmp_path / "a.db") as opened:
        for line in lines:
            name, version = line.split()
            survivor = opened.store.get(workflow(name))
            assert (survivor["spec"], survivor["metadata"]["resourceVersion"]) == ({"n": 1}, version)
        newest = max(int(item["metadata"]["resourceVersion"]) for item in opened.store.list(WORKFLOW).items)
        assert int(opened.store.list(WORKFLOW).resource_version) >= newest


def test_on_a_full_disk_nothing_is_written_and_afterwards_all_goes_on(tmp_path: Path) -> None:
    with Opened(tmp_path / "a.db") as opened:
        opened.store.create(obj("Workflow", "kept"))
        before = opened.store.list(WORKFLOW)
        pages = opened.writer.run(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
        opened.writer.run(lambda c: c.execute(f"PRAGMA max_page_count={pages + 2}").fetchone())
        big = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "big", "namespace": "default"}}
        with pytest.raises(Unavailable, match="nothing was written: database or disk is full"):
            opened.store.create({**big, "data": {"text": "x" * 200_000}})
        assert opened.store.list(CONFIG_MAP).items == []
        assert opened.store.list(WORKFLOW) == before
        opened.writer.run(lambda c: c.execute("PRAGMA max_page_count=100000").fetchone())
        created = opened.store.create({**big, "data": {"text": "x" * 200_000}})
        assert int(created["metadata"]["resourceVersion"]) == int(before.resource_version) + 1
        assert opened.store.get(Ref(CONFIG_MAP, "default", "big")) == created


def test_a_file_that_may_not_grow_is_unavailable_and_recovers(tmp_path: Path) -> None:
    """The kernel refuses the write itself, as it does when a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Opened(tmp_path / "a.db") as opened:
        opened.store.create(obj("Workflow", "kept"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(tmp_path / "a.db-wal") + 4096, hard))
        try:
            with pytest.raises(Unavailable, match="nothing was written"):
                opened.store.create(obj("Workflow", "big", annotations={"a": "x" * 100_000}))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, ignored)
        opened.store.create(obj("Workflow", "later"))
    with Opened(tmp_path / "a.db") as again:
        assert [item["metadata"]["name"] for item in again.store.list(WORKFLOW).items] == ["kept", "later"]
