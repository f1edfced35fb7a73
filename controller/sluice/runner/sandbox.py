"""What a worker gives up before it runs anybody's code.

What protects: the worker is a process of its own, with memory, files and privileges it can't get back.

* **Memory**: ``RLIMIT_AS``; a step that eats more gets a MemoryError. No core dumps; no child processes (``RLIMIT_NPROC``,
  which does not bind root, and seccomp).
* **Files** (Landlock): Python's own installation and the time zones can be read, the worker's scratch folder written;
  nothing else exists for it, ``/proc`` and the controller's data among that. No TCP, no signals to others.
* **System calls** (seccomp): no sockets at all, so no UDP either; no processes, programs, tracing, mounts, keys.
* **Inheritance**: no descriptor but the one to the runner, an empty environment, ``no_new_privs``.

What does not: where the kernel has no Landlock or seccomp (macOS, old Linux) the process still stops crashes, timeouts
and memory, but code that gets around the curated built-ins may do what the user who started Sluice may do. CPU time is
bounded by the attempt's timeout only. Steps of one version in one environment share a worker one after the other and
may leave traces in library modules for one another; steps of others never share one. The network of ``http`` steps is
open. Kernel bugs are not covered: run untrusted authors' code on a cluster, in pods of their own.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sluice.runner.landlock import restrict, supported_version
from sluice.runner.seccomp import refuse_system_calls

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_KEPT_VARIABLES = ("LANG", "LC_ALL", "TZ")


@dataclass(frozen=True, slots=True)
class Protection:
    """Which walls are up; each is False where the machine does not offer it."""

    no_new_privileges: bool
    landlock: bool
    seccomp: bool


def give_up(scratch: str) -> Protection:
    """Confine this process for good; ``scratch`` is the one folder it may write."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    unprivileged = renounce_privileges()
    return Protection(
        no_new_privileges=unprivileged,
        landlock=unprivileged and restrict(read=_readable(), write=[scratch, os.devnull]),
        seccomp=unprivileged and refuse_system_calls(),
    )


def renounce_privileges() -> bool:
    """Set ``no_new_privs``: no program started from here on gains rights. Children inherit it."""
    return _process_control(_PR_SET_NO_NEW_PRIVS, 1)


def warm_up() -> None:
    """Look up once, before any fork, what every worker would look up again."""
    _libc()
    _readable()
    supported_version()


def mapped_bytes() -> int:
    """How much this process has mapped. To be asked before ``give_up``, which closes ``/proc``."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()


def limit_memory(step_memory: int, *, above: int) -> None:
    """Allow this many bytes above those that ``mapped_bytes`` gave; 0 is no limit."""
    if step_memory <= 0:
        return
    wanted = above + step_memory
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, wanted))


def die_with_parent(parent: int) -> None:
    """Be killed when the parent's thread that forked this process ends; ends at once if that has happened already."""
    _process_control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent died, so that none is left behind unseen."""
    _process_control(_PR_SET_CHILD_SUBREAPER, 1)


def close_descriptors(*, keep: int) -> None:
    """Close all but the standard streams and one; an inherited socket would hide the end of its stream."""
    os.closerange(3, keep)
    os.closerange(keep + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def silence_streams() -> None:
    """Standard streams lead nowhere: what a step prints is captured, and a terminal is none of its business."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def scrub_environment(keep: tuple[str, ...] = ()) -> None:
    """Leave language and time zone, and what ``keep`` names. (What the process was started with stays readable in
    ``/proc``, so the zygote is started with little, and Landlock closes ``/proc``.)"""
    kept = {name: os.environ[name] for name in (*_KEPT_VARIABLES, *keep) if name in os.environ}
    os.environ.clear()
    os.environ.update(kept)


@cache
def _readable() -> tuple[str, ...]:
    paths = {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, "/usr/lib", "/lib", "/lib64"}
    paths |= {"/usr/share/zoneinfo", "/etc/localtime", "/dev/urandom", str(Path(__file__).parents[1])}
    return tuple(sorted(str(path) for path in map(Path, paths) if path != Path("/") and path.exists()))


def _process_control(option: int, value: int) -> bool:
    """``prctl``; False where the system has none or refuses."""
    if sys.platform != "linux":
        return False
    return int(_libc().prctl(option, value, 0, 0, 0)) == 0


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
