"""``sluice controller``: Sluice on a cluster, one of several replicas maybe, until SIGTERM.

Every replica keeps its caches fresh and answers runners, so that a standby acts at once when it is elected; only the one
that leads works. One that is deposed ends: what it had in memory is its successor's to find out anew.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from sluice.bootstrap.embedded import GC_THRESHOLDS, SWITCH_INTERVAL
from sluice.bootstrap.ending import end, end_within
from sluice.bootstrap.options import Options
from sluice.bootstrap.program import Listen
from sluice.ports.errors import PortError

if TYPE_CHECKING:
    from sluice.bootstrap.cluster import Replica
    from sluice.http.server import Running

FAREWELL_S = 25.0
"""What stopping may take, whatever does not answer: a pod has 30 seconds."""
DEPOSED_S = 5.0
"""The same for one that has nothing to hand over any more: the sooner it begins anew, the sooner it may lead again."""


def control(options: Options) -> int:
    """Run until SIGTERM or SIGINT; answers with the exit code: 1 it can't run, 2 bad options.

    Once it has served, the process ends here: with 0 if it was stopped, 1 if it was deposed.
    """
    logging.basicConfig(
        level=os.environ.get("SLUICE_LOG", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # else two lines for each runner
    sys.setswitchinterval(SWITCH_INTERVAL)
    signal.signal(signal.SIGTERM, _leave)
    try:
        secure, plain = Listen.parse(options.listen), Listen.parse(options.metrics_listen)
    except ValueError as error:
        return _complain(str(error), 2)
    from sluice.bootstrap.cluster import Replica  # noqa: PLC0415 - the official client takes its time

    try:
        replica = Replica(options, stop=terminate)
    except (PortError, OSError, ValueError) as error:
        return _complain(str(error), 1)
    try:
        code = _serve(replica, secure, plain)
    finally:
        end_within(DEPOSED_S if replica.deposed else FAREWELL_S)
        replica.close()
    return end(code)


def _serve(replica: Replica, secure: Listen, plain: Listen) -> int:
    from sluice.http.runners import MAX_MESSAGE, runner_group  # noqa: PLC0415
    from sluice.http.server import CannotListenError, WebSockets, compose, serve  # noqa: PLC0415

    runners, _ = runner_group(replica.launching.desk)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        with _health(replica, plain):
            serve(
                compose([runners, *replica.groups()]),
                host=secure.host,
                port=secure.port,
                tls=replica.certificates.context,
                websockets=WebSockets(MAX_MESSAGE),
                ready=replica.start,
            )
    except CannotListenError as error:
        return _complain(str(error), 1)
    return 1 if replica.deposed else 0


class _health:  # noqa: N801 - reads as a block
    """Probes and metrics over plain HTTP, on a thread of their own: they answer while the others are busy."""

    def __init__(self, replica: Replica, where: Listen) -> None:
        self._replica = replica
        self._where = where
        self._running: Running | None = None
        self._error: BaseException | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="health", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()
        self._up.wait()
        if self._error is not None:
            raise self._error

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.stop()
        self._thread.join(10)

    def _serve(self) -> None:
        from sluice.http.server import compose, serve  # noqa: PLC0415

        try:
            serve(compose([self._replica.health()]), host=self._where.host, port=self._where.port, ready=self._ready)
        except BaseException as error:
            self._error = error
        finally:
            self._up.set()

    def _ready(self, running: Running) -> None:
        self._running = running
        self._up.set()


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Before anything is served, and so begun, just go. The first process of a container must say so: a signal that it has
    no handler for does not reach it."""
    raise SystemExit(0)


def terminate() -> None:
    """End this process as SIGTERM does."""
    os.kill(os.getpid(), signal.SIGTERM)


def _complain(line: str, code: int) -> int:
    print(f"sluice controller: {line}", file=sys.stderr, flush=True)
    return code
