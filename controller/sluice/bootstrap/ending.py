"""How a process that serves ends: soon, and by its own word."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from typing import NoReturn

log = logging.getLogger(__name__)


def end_within(seconds: float) -> None:
    """Have this process end with 1 in so many seconds, if it is still there.

    What is cut off then is what a crash may cut off too: a write in flight is complete at the server or was none.
    """

    def end_anyway() -> None:
        log.error("stopping took more than %.0f s: ending without it", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, end_anyway)
    timer.daemon = True
    timer.start()


def end(code: int) -> NoReturn:
    """End this process, once all is closed that must be.

    The interpreter's own farewell tears threads out of whatever they do, and where that is a library in C++ or Rust, it
    takes the process down with SIGABRT or SIGSEGV.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
