"""``make demo``: the main job, whole, through the real program. It ends with 1 if anything is not as it says.

A copy of ``examples/hello`` in a temporary folder is served by ``sluice up``. Every other command is the one that a person
would type; each is shown before its result. What is counted is read from the server, never assumed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

EXAMPLE = Path(__file__).resolve().parent / "hello"
PROGRAM = Path(sys.executable).parent / "sluice"
PATIENCE = 30.0
"""Seconds that anything may take before the demo gives up."""
LOOK_EVERY = 0.02
"""Seconds between two looks at what is waited for."""
ENDED = {"Succeeded", "Failed", "Error", "Cancelled", "Rejected"}
QUARTER = 25

Found = TypeVar("Found")


class NotAsSaid(Exception):
    """Something is not as the demo says."""


def main() -> int:
    """Play the demo in a folder that is removed afterwards."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    try:
        shutil.copytree(EXAMPLE, folder / "hello")
        with serving(folder) as stage:
            play(stage)
    except NotAsSaid as error:
        print(f"\nThe demo FAILED: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\nAll of it was as said. It took {time.monotonic() - began:.1f} s, and nothing of it is left behind.")
    return 0


def play(stage: Stage) -> None:
    """The story: v1, v2 at 25 %, twenty runs, a stop, ten runs, a revert, the history."""
    title("The first version: one Workflow is enough, and v1 takes every run")
    stage.await_rollout("v1 is live", stable="v1", phase="Completed")
    print(stage.sluice("run", "hello", "--payload", '{"name": "Ana"}', "--wait"))

    title(f"A changed file is a publish, and examples/hello/rollout.yaml says {QUARTER} %")
    stage.edit("workflow.yaml", "default: Hello", "default: Good morning")
    stage.await_rollout("v2 takes a quarter", stable="v1", candidate="v2", percent=str(QUARTER))
    print(stage.sluice("rollout", "status", "hello"))

    title("Twenty runs: exactly 5 on v2 and 15 on v1")
    stage.start_runs("twenty", 20)
    stage.expect_runs("twenty", {"v1": 15, "v2": 5})

    title("The rollout is stopped, and ten more runs: all on v1")
    print(stage.sluice("rollout", "stop", "hello", "--reason", "too formal"))
    stage.await_rollout("v2 is stopped", stable="v1", phase="Stopped")
    stage.start_runs("ten", 10)
    stage.expect_runs("ten", {"v1": 10})

    title("A revert publishes what v1 did as v3; no run that was there changes its version")
    print(stage.sluice("revert", "hello", "--to", "v1", "--percent", "100", "--reason", "back to Hello", "--wait"))
    stage.await_rollout("v3 is stable", stable="v3", phase="Completed")
    print(stage.sluice("run", "hello", "--payload", '{"name": "Ben"}', "--wait"))
    expect_equal("versions of all runs", stage.versions_of_runs(), {"v1": 26, "v2": 5, "v3": 1})

    title("The version history: what, who, when, and what became of it")
    print(stage.sluice("versions", "hello"))
    expect_history(stage)


class Stage:
    """A folder with manifests, the server that follows it, and the commands of the person in front of it."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._objects = f"{url}/apis/sluice.dev/v1alpha1/namespaces/default"

    def sluice(self, *arguments: str) -> str:
        """Show a command and give what it prints; it must succeed."""
        print(f"\n$ sluice {shlex.join(arguments)}", flush=True)
        done = subprocess.run(
            [PROGRAM, *arguments], cwd=self._folder, env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NotAsSaid(
                f"`sluice {shlex.join(arguments)}` ended with {done.returncode}: {done.stderr or done.stdout}"
            )
        return done.stdout.rstrip("\n")

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a manifest as an editor does."""
        print(f"\n$ sed -i 's/{old}/{new}/' hello/{file}", flush=True)
        path = self._folder / "hello" / file
        text = path.read_text()
        if old not in text:
            raise NotAsSaid(f"{EXAMPLE / file} does not say {old!r}")
        path.write_text(text.replace(old, new))

    def start_runs(self, batch: str, count: int) -> None:
        """Start runs by one file of WorkflowRuns: twenty commands would do the same, one after the other."""
        runs = [
            {
                "apiVersion": "sluice.dev/v1alpha1",
                "kind": "WorkflowRun",
                "metadata": {"name": f"{batch}-{number:02}", "labels": {"batch": batch}},
                "spec": {"input": {"workflow": "hello", "environment": "local", "payload": {"name": f"No. {number}"}}},
            }
            for number in range(1, count + 1)
        ]
        file = f"{batch}-runs.json"
        (self._folder / file).write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": runs}))
        lines = self.sluice("apply", "-f", file).splitlines()
        print(f"{lines[0]}\n  ... and {len(lines) - 1} more")

    def expect_runs(self, batch: str, wanted: dict[str, int]) -> None:
        """Wait until all runs of a batch ended, and count them by version."""
        runs = wait_for(
            f"the {batch} runs ended",
            lambda: self._get(f"workflowruns?labelSelector=batch%3D{batch}")["items"],
            lambda found: len(found) == sum(wanted.values()) and all(phase_of(run) in ENDED for run in found),
        )
        for run in runs:
            if phase_of(run) != "Succeeded":
                raise NotAsSaid(f"{run['metadata']['name']} did not succeed: {run['status'].get('failure')}")
        found = count_by_version(runs)
        for version, number in sorted(found.items()):
            print(f"  {version}  {'#' * number} {number}")
        expect_equal(f"versions of the {batch} runs", found, wanted)

    def versions_of_runs(self) -> dict[str, int]:
        """All runs, counted by version."""
        return count_by_version(self._get("workflowruns")["items"])

    def history(self) -> list[dict[str, Any]]:
        """The versions, oldest first."""
        found: list[dict[str, Any]] = self._get("workflowversions")["items"]
        return sorted(found, key=lambda version: int(version["spec"]["number"]))

    def await_rollout(self, what: str, **wanted: str) -> None:
        """Wait until the Rollout's status says so; stable and candidate are given by their labels, such as v2."""

        def reached(status: dict[str, Any]) -> bool:
            shown = {key: status.get(key) for key in wanted}
            return wanted == {
                key: value["version"].rpartition("-")[2] if isinstance(value, dict) else value
                for key, value in shown.items()
            }

        wait_for(what, lambda: self._get("rollouts/hello").get("status") or {}, reached)

    def _get(self, path: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"{self._objects}/{path}", timeout=PATIENCE) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return {}
                raise NotAsSaid(f"the server answers {error.code} to {path}") from error
        return found


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Stage]:
    """``sluice up`` on a free port, until the block ends; it must then stop cleanly."""
    print("$ sluice up hello", flush=True)
    log = folder / "up.log"
    with log.open("w") as written:
        server = subprocess.Popen(
            [PROGRAM, "up", "hello", "--listen", "127.0.0.1:0"],
            cwd=folder,
            env=environment(),
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        lines = wait_for(
            "sluice up is ready",
            lambda: log.read_text().splitlines(),
            lambda found: "workflow/hello applied" in found or server.poll() is not None,
        )
        if server.poll() is not None:
            raise NotAsSaid("sluice up ended: " + " ".join(lines))
        print("\n".join(lines))
        yield Stage(folder, lines[0].split()[-1])
        stop(server)
    except NotAsSaid as error:
        raise NotAsSaid(f"{error}\nsluice up said:\n{log.read_text()}") from error
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ctrl-C."""
    server.send_signal(signal.SIGINT)
    try:
        code = server.wait(PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise NotAsSaid(f"sluice up did not stop within {PATIENCE:.0f} s") from error
    expect_equal("exit code of sluice up after Ctrl-C", code, 0)


def expect_history(stage: Stage) -> None:
    """Three versions: who, when, digest and outcome of each; v3 does what v1 did."""
    history = stage.history()
    told = [(v["spec"]["number"], v["status"].get("outcome"), v["spec"].get("revertOf")) for v in history]
    expect_equal("the history", told, [(1, "Completed", None), (2, "Stopped", None), (3, "Completed", "v1")])
    digests = [version["spec"]["digest"] for version in history]
    expect_equal(
        "v3's digest is v1's, v2's is another", (digests[2] == digests[0], digests[1] == digests[0]), (True, False)
    )
    for version in history:
        recorded = (version["status"].get("id", ""), version["spec"]["publishedBy"], version["spec"]["publishedAt"])
        if not all(recorded) or not recorded[0].startswith("wflv_"):
            raise NotAsSaid(f"{version['metadata']['name']} lacks id, who or when: {recorded}")


def wait_for(what: str, look: Callable[[], Found], is_there: Callable[[Found], bool]) -> Found:
    """Look until it is there."""
    until = time.monotonic() + PATIENCE
    while not is_there(found := look()):
        if time.monotonic() > until:
            raise NotAsSaid(f"after {PATIENCE:.0f} s it is still not so that {what}; what is there: {found}")
        time.sleep(LOOK_EVERY)
    return found


def expect_equal(what: str, found: object, wanted: object) -> None:
    """The demo says so, and it must be so."""
    if found != wanted:
        raise NotAsSaid(f"{what}: {wanted} was said, {found} was found")


def count_by_version(runs: list[dict[str, Any]]) -> dict[str, int]:
    """How many runs each version has, by label such as v2."""
    return dict(Counter(run["status"].get("version", "none") for run in runs))


def phase_of(run: dict[str, Any]) -> str:
    """Where a run is."""
    return str((run.get("status") or {}).get("phase", "Pending"))


def environment() -> dict[str, str]:
    """Without what would lead the commands to another server."""
    return {name: value for name, value in os.environ.items() if name not in {"KUBECONFIG", "SLUICE_DATA"}}


def title(text: str) -> None:
    """What comes next."""
    print(f"\n-- {text} --", flush=True)


if __name__ == "__main__":
    sys.exit(main())
