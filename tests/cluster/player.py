"""Plays the runners of a cluster's pods in one process, for scale: the real protocol, each pod's own token, no execution.

Pods that run (on simulated nodes: see ``simulated``) are taken up; with ``kubelet`` the player is their node's agent too
and has pods run that wait, so that no node, scheduler or kwok is needed. Steps end as ``playing_steps`` says. At the end
the pod's status says how its runner ended, as a kubelet would.

    python -m tests.cluster.player --kubeconfig FILE [--controller-id ID] [--kubelet]
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import itertools
import logging
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.launching.workloads import POD
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.domain.launching.names import CONTROLLER_LABEL, MANAGED_BY_LABEL, MANAGER
from sluice.ports.errors import NotFound, PortError
from sluice.ports.store import Obj, Selector
from sluice.runner.settings import read_settings
from tests.cluster.played_pod import PlayedPod, Stage
from tests.cluster.playing_steps import Behaviour, as_written
from tests.cluster.pod_reports import remove, report_ended, report_running, token_of

REQUESTS = 16
"""Requests about pods at a time."""
MEMORY = Path("/dev/shm")
PAUSE_S = 0.2

log = logging.getLogger(__name__)


class Player:
    """From ``start`` to ``stop``. While ``held`` is set no new pod is taken up.

    ``pods`` are those that are played now, by uid; ``ended`` counts those that are over, by exit status.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        controller_id: str = "",
        kubelet: bool = False,
        behaviour: Behaviour = as_written,
        skew_s: float = 0.0,
    ) -> None:
        self._transport = transport
        self._store = KubernetesStore(transport)
        own = f",{CONTROLLER_LABEL}={controller_id}" if controller_id else ""
        self._pods_selector = Selector(labels=f"{MANAGED_BY_LABEL}={MANAGER}{own}")
        self._takes_up = ("Pending", "Running") if kubelet else ("Running",)
        self._kubelet = kubelet
        self._folder = Path(tempfile.mkdtemp(prefix="sluice-player-", dir=MEMORY if MEMORY.is_dir() else None))
        self._requests = ThreadPoolExecutor(REQUESTS, thread_name_prefix="player-request")
        self._selector = selectors.DefaultSelector()
        self._stage = Stage(self._selector, behaviour, skew_s)
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._calls: deque[Callable[[], None]] = deque()
        self._alarms: list[tuple[float, int, PlayedPod]] = []
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._watch: Any = None
        self._seen: set[str] = set()
        self.held = threading.Event()
        self.pods: dict[str, PlayedPod] = {}
        self.ended: dict[int, int] = {}
        self._threads = [
            threading.Thread(target=work, name=f"player-{name}", daemon=True)
            for name, work in (("watch", self._follow), ("stage", self._play))
        ]

    def start(self) -> None:
        """Start to follow the pods."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Leave all pods as they are, without a word. Safe to call twice."""
        self._stopped.set()
        if self._watch is not None:
            self._watch.close()
        self._wake()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._requests.shutdown(cancel_futures=True)
        for part in (self._selector, self._woken, self._waker):
            part.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self, uid: str) -> None:
        """Its process is gone, and nobody tells the API server: as on a node that was lost."""
        self._call(lambda: self._end(uid, "it was killed", told=False))

    def pod_of(self, name_start: str) -> PlayedPod | None:
        """A pod that is played now and whose name begins so."""
        return next((pod for pod in list(self.pods.values()) if pod.name.startswith(name_start)), None)

    # -- the API server ---------------------------------------------------------------------------------------------
    def _follow(self) -> None:
        while not self._stopped.is_set():
            try:
                self._watch = self._store.watch(POD, "", self._pods_selector)
                for event in self._watch:
                    if event.type != "BOOKMARK":
                        self._see(event.object, gone=event.type == "DELETED")
            except PortError as error:
                log.info("the watch of pods ended: %s", error)
                self._stopped.wait(PAUSE_S)

    def _see(self, pod: Obj, *, gone: bool) -> None:
        uid, leaving = pod["metadata"]["uid"], pod["metadata"].get("deletionTimestamp")
        if gone:
            self._seen.discard(uid)
        if gone or leaving:
            self._call(lambda: self._end(uid, "the pod is deleted", told=False))
            if self._kubelet and not gone:
                self._ask(lambda: remove(self._transport, pod))
        elif uid not in self._seen and not self.held.is_set() and pod["status"].get("phase") in self._takes_up:
            self._seen.add(uid)
            self._ask(lambda: self._take_up(pod))

    def _take_up(self, pod: Obj) -> None:
        if self._stopped.is_set():
            return
        token = self._folder / pod["metadata"]["uid"]
        try:
            token.write_text(token_of(self._transport, pod))
            if self._kubelet:
                report_running(self._transport, pod)
        except NotFound:
            return
        except PortError as error:
            log.info("%s is taken up again in a while: %s", pod["metadata"]["name"], error)
            self._stopped.wait(PAUSE_S)
            self._ask(lambda: self._take_up(pod))
            return
        told = [word.replace("$$", "$") for word in pod["spec"]["containers"][0]["args"]]
        settings = read_settings([*told, f"--token-file={token}", f"--scratch={self._folder}"])
        self._call(lambda: self._begin(PlayedPod(pod, settings, self._stage)))

    def _report(self, pod: PlayedPod) -> None:
        if pod.ending is None:
            return
        try:
            report_ended(self._transport, pod.pod, int(pod.ending.code), pod.ending.message)
        except PortError as error:
            log.info("%s is told of again in a while: %s", pod.name, error)
            if not self._stopped.wait(PAUSE_S):
                self._ask(lambda: self._report(pod))

    def _ask(self, work: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # it was stopped meanwhile
            self._requests.submit(_logged, work)

    # -- the stage --------------------------------------------------------------------------------------------------
    def _play(self) -> None:
        while not self._stopped.is_set():
            now = time.monotonic()
            patience = max(0.0, self._alarms[0][0] - now) if self._alarms else None
            moved: dict[PlayedPod, None] = {}
            for key, _ in self._selector.select(patience):
                if key.data is None:
                    self._obey()
                else:
                    pod, ready = key.data
                    ready()
                    moved[pod] = None
            now = time.monotonic()
            while self._alarms and self._alarms[0][0] <= now:
                due, _, pod = heapq.heappop(self._alarms)
                if due >= pod.scheduled:
                    pod.scheduled = float("inf")
                    moved[pod] = None
            for pod in moved:
                self._go_on(pod, now)
        for pod in list(self.pods.values()):
            pod.end("the player stops")

    def _begin(self, pod: PlayedPod) -> None:
        self.pods[pod.pod["metadata"]["uid"]] = pod
        self._go_on(pod, time.monotonic())

    def _go_on(self, pod: PlayedPod, now: float) -> None:
        uid = pod.pod["metadata"]["uid"]
        if self.pods.get(uid) is not pod:
            return
        try:
            pod.go_on(now)
        except Exception as error:  # as a runner that crashes
            log.exception("%s crashed", pod.name)
            pod.crash(str(error))
        if pod.ending:
            self._end(uid, "", told=True)
        elif pod.look < pod.scheduled:
            pod.scheduled = pod.look
            heapq.heappush(self._alarms, (pod.scheduled, next(self._numbers), pod))

    def _end(self, uid: str, why: str, *, told: bool) -> None:
        pod = self.pods.pop(uid, None)
        if pod is None:
            return
        pod.end(why)
        code = int(pod.ending.code) if pod.ending else 0
        self.ended[code] = self.ended.get(code, 0) + 1
        if told:
            self._ask(lambda: self._report(pod))
        with contextlib.suppress(OSError):
            (self._folder / uid).unlink()

    def _call(self, work: Callable[[], None]) -> None:
        """Have the stage's thread do it."""
        self._calls.append(work)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it has been woken already
            self._waker.send(b".")

    def _obey(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._calls:
            _logged(self._calls.popleft())


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("a part of the player failed")


@contextmanager
def played(transport: Transport, **options: Any) -> Iterator[Player]:
    """A player for the block."""
    player = Player(transport, **options)
    player.start()
    try:
        yield player
    finally:
        player.stop()


def main(arguments: list[str]) -> int:
    """Play until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.player", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--controller-id", default="", help="only pods of this controller")
    parser.add_argument(
        "--kubelet", action="store_true", help="be the node's agent too: there is neither node nor kwok"
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    transport = Transport(from_kubeconfig(given.kubeconfig), Limits(qps=5000, burst=10000))
    try:
        with played(transport, controller_id=given.controller_id, kubelet=given.kubelet):
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    finally:
        transport.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
