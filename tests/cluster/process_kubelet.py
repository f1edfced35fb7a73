"""A kubelet without containers: plays the pods of runners as processes of this machine, with each pod's own token.

Everything else is real: the Jobs, the pods that the Job controller makes of them, the tokens bound to them and their
review, the runner's own program and its connection. What it can't show is the container around it (see ``node``). A step
with an image of its own is played by what its command is on this machine, whatever the image; the file that its output is
in is one of this machine as well.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sluice.adapters.kubernetes.launching.workloads import POD
from sluice.adapters.kubernetes.store import MERGE_PATCH, KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.domain.launching.names import CONTROLLER_LABEL, MANAGED_BY_LABEL, MANAGER, UNIT_LABEL
from sluice.domain.timestamps import stamp
from sluice.ports.clock import SystemClock
from sluice.ports.errors import NotFound, PortError
from sluice.ports.store import Obj, Selector

GRACE_S = 10
RUNNER = "runner"
"""What a runner's container is called."""


@dataclass(slots=True)
class Played:
    """One pod."""

    namespace: str
    name: str
    uid: str
    folder: Path
    process: subprocess.Popen[bytes]
    container: Obj

    @property
    def log(self) -> str:
        """What its container has printed."""
        return (self.folder / "log").read_text(errors="replace")


class ProcessKubelet:
    """Plays all pods of runners of a cluster, from ``start`` to ``stop``. ``held``: new pods stay Pending."""

    def __init__(self, transport: Transport, folder: Path, *, controller_id: str = "") -> None:
        self._transport = transport
        self._store = KubernetesStore(transport)
        self._folder = folder
        own = f",{CONTROLLER_LABEL}={controller_id}" if controller_id else ""
        self._selector = Selector(labels=f"{MANAGED_BY_LABEL}={MANAGER}{own}")
        self._lock = threading.Lock()
        self._watch: Any = None
        self._stopped = False
        self._seen: set[str] = set()
        self.held = threading.Event()
        self.held_units: set[str] = set()
        """Units whose new pods stay Pending, whatever others do."""
        self.pods: dict[str, Played] = {}
        """By uid."""
        self.played: list[Played] = []
        self.also: dict[str, str] = {}
        """What stands in the environment of each runner that is started from now on, beside what its pod says."""
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start to follow the pods."""
        thread = threading.Thread(target=self._follow, name="kubelet", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Kill what runs."""
        self._stopped = True
        if self._watch is not None:
            self._watch.close()
        for played in list(self.pods.values()):
            played.process.kill()
        for thread in self._threads:
            thread.join(GRACE_S)

    def pod_of(self, name_start: str) -> Played | None:
        """The newest pod whose name begins so."""
        return next((played for played in reversed(self.played) if played.name.startswith(name_start)), None)

    # -- threads ----------------------------------------------------------------------------------------------------
    def _follow(self) -> None:
        while not self._stopped:
            try:
                self._watch = self._store.watch(POD, "", self._selector)
                for event in self._watch:
                    if event.type != "BOOKMARK":
                        self._see(event.object, gone=event.type == "DELETED")
            except PortError:
                continue

    def _see(self, pod: Obj, *, gone: bool) -> None:
        uid, metadata = pod["metadata"]["uid"], pod["metadata"]
        played = self.pods.get(uid)
        if gone or metadata.get("deletionTimestamp"):
            if played is not None:
                played.process.send_signal(signal.SIGTERM)
                threading.Timer(GRACE_S, played.process.kill).start()
            return
        held = self.held.is_set() or metadata.get("labels", {}).get(UNIT_LABEL) in self.held_units
        if uid in self._seen or held or pod.get("status", {}).get("phase") != "Pending":
            return
        self._seen.add(uid)
        thread = threading.Thread(target=self._play, args=(pod,), name=f"pod-{metadata['name']}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _play(self, pod: Obj) -> None:
        try:
            played = self._begin(pod)
        except NotFound:
            return
        self._report(played, {"phase": "Running"}, {"running": {"startedAt": _now()}})
        started, status = _now(), {}
        try:
            code = played.process.wait(pod["spec"].get("activeDeadlineSeconds"))
        except subprocess.TimeoutExpired:
            os.killpg(played.process.pid, signal.SIGKILL)
            code, status = played.process.wait(), {"reason": "DeadlineExceeded", "message": "active for too long"}
        with self._lock:
            self.pods.pop(played.uid, None)
        code = code if code >= 0 else 128 - code
        ended = {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}
        ended |= {"startedAt": started, "finishedAt": _now()}
        if message := _last_words(played, code):
            ended["message"] = message
        self._report(played, {"phase": "Failed" if code else "Succeeded", **status}, {"terminated": ended})
        shutil.rmtree(played.folder / "scratch", ignore_errors=True)

    def _begin(self, pod: Obj) -> Played:
        metadata, spec = pod["metadata"], pod["spec"]
        folder, container = self._folder / metadata["uid"], spec["containers"][0]
        (folder / "scratch").mkdir(parents=True)
        scratch = str(folder / "scratch")
        environment = {entry["name"]: _literal(entry["value"]) for entry in container.get("env", ())}
        environment |= {"HOME": scratch, "TMPDIR": scratch, "PATH": os.environ["PATH"]}
        command, told = ([_literal(word) for word in container.get(words, ())] for words in ("command", "args"))
        if container["name"] == RUNNER:
            token = folder / "token"
            token.write_text(self._token(pod))
            environment |= self.also
            command = [sys.executable, "-m", "sluice.runner.pod"]
            told += [f"--token-file={token}", f"--scratch={scratch}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *told],
                env=environment,
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        played = Played(metadata["namespace"], metadata["name"], metadata["uid"], folder, process, container)
        with self._lock:
            self.pods[played.uid] = played
            self.played.append(played)
        return played

    def _token(self, pod: Obj) -> str:
        """A token for the audience and pod that its projected volume asks for."""
        metadata, spec = pod["metadata"], pod["spec"]
        source = next(
            source["serviceAccountToken"]
            for volume in spec["volumes"]
            for source in volume.get("projected", {}).get("sources", ())
        )
        account = spec.get("serviceAccountName") or "default"
        bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [source["audience"]],
                "expirationSeconds": source["expirationSeconds"],
                "boundObjectRef": bound,
            },
        }
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        answer = orjson.loads(self._transport.send("POST", path, body=orjson.dumps(request)))
        return str(answer["status"]["token"])

    def _report(self, played: Played, status: Obj, state: Obj) -> None:
        container = {
            "name": played.container["name"],
            "image": "process",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
        patch = {"status": {**status, "containerStatuses": [container]}}
        path = f"/api/v1/namespaces/{played.namespace}/pods/{played.name}/status"
        try:
            self._transport.send("PATCH", path, body=orjson.dumps(patch), content_type=MERGE_PATCH)
        except PortError:
            return  # it was deleted


def _last_words(played: Played, code: int) -> str:
    """The termination message, as a kubelet finds it: the end of a file, or of what a failed container printed."""
    path = Path(played.container.get("terminationMessagePath") or "/dev/termination-log")
    if path.is_file():
        return path.read_bytes()[-4096:].decode(errors="replace")
    falls_back = played.container.get("terminationMessagePolicy") == "FallbackToLogsOnError"
    return played.log[-500:] if code and falls_back else ""


def _literal(text: str) -> str:
    return text.replace("$$", "$")


def _now() -> str:
    return stamp(SystemClock().now())


@contextmanager
def playing(transport: Transport, folder: Path, *, controller_id: str = "") -> Iterator[ProcessKubelet]:
    """A kubelet for the block, for the pods of one controller or of all."""
    kubelet = ProcessKubelet(transport, folder, controller_id=controller_id)
    kubelet.start()
    try:
        yield kubelet
    finally:
        kubelet.stop()
