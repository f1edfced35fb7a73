"""A kubelet that goes on whatever the API server does, as a real one would, and whose machine may have a wrong clock."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import orjson

from sluice.adapters.kubernetes.launching.workloads import POD
from sluice.adapters.kubernetes.store import MERGE_PATCH
from sluice.ports.errors import NotFound, PortError
from sluice.ports.store import Obj
from tests.cluster.build import cache_folder
from tests.cluster.process_kubelet import Played, ProcessKubelet

AGAIN_S = 0.3
SKEWED_CLOCK = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long skew(void) { const char *s = getenv("SKEW_S"); return s ? atol(s) : 0; }

int clock_gettime(clockid_t clock, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, t);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) t->tv_sec += skew();
    return failed;
}

int gettimeofday(struct timeval *t, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec; t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
"""


class LastingKubelet(ProcessKubelet):
    """Reports until it is heard, and ends what has no pod any more."""

    def skew(self, seconds: int) -> None:
        """The clocks of runners that are started from now on are ahead by so much, or behind."""
        self.also = {"LD_PRELOAD": str(skewed_clock()), "SKEW_S": str(seconds)}

    def _follow(self) -> None:
        while not self._stopped:
            try:
                self._read()
            except PortError:
                self._pause()

    def _read(self) -> None:
        there: set[str] = set()
        beginning = True
        self._watch = self._store.watch(POD, "", self._selector)
        for event in self._watch:
            if event.type != "BOOKMARK":
                there.add(event.object["metadata"]["uid"])
                self._see(event.object, gone=event.type == "DELETED")
            elif beginning:
                beginning = False
                for played in [played for uid, played in list(self.pods.items()) if uid not in there]:
                    played.process.kill()
                there.clear()

    def _begin(self, pod: Obj) -> Played:
        while True:
            try:
                return super()._begin(pod)
            except NotFound:
                raise
            except PortError as error:
                if self._stopped:
                    raise NotFound("the kubelet has stopped") from error
                shutil.rmtree(self._folder / pod["metadata"]["uid"])
                self._pause()

    def _report(self, played: Played, status: Obj, state: Obj) -> None:
        container = {"name": "runner", "image": "process", "imageID": "", "ready": False, "restartCount": 0}
        patch = {"status": {**status, "containerStatuses": [{**container, "state": state}]}}
        path = f"/api/v1/namespaces/{played.namespace}/pods/{played.name}/status"
        while not self._stopped:
            try:
                body = orjson.dumps({"metadata": {"uid": played.uid}, **patch})
                self._transport.send("PATCH", path, body=body, content_type=MERGE_PATCH)
            except NotFound:
                return
            except PortError as error:
                if error.reason in ("Conflict", "Invalid"):
                    return  # another pod has its name
                self._pause()
            else:
                return

    def _pause(self) -> None:
        threading.Event().wait(AGAIN_S)


def skewed_clock() -> Path:
    """A library that shifts the clock of whoever is started with it; built once."""
    built = cache_folder() / "skewed-clock.so"
    if not built.exists():
        made = built.with_suffix(f".{threading.get_ident()}")
        command = ["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(made), "-ldl"]
        subprocess.run(command, input=SKEWED_CLOCK, text=True, check=True)
        made.rename(built)
    return built
