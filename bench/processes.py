"""What the kernel knows of processes: their memory, their time on a processor, how often they gave it up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on a processor, and how often that was given up of its own accord (waits, hand-overs)."""

    seconds: float = 0.0
    waits: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.waits + other.waits)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.seconds - other.seconds, self.waits - other.waits)


def parents() -> dict[int, int]:
    """The parent of every process."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # it ended while we looked
            found[int(entry.name)] = parent_in(stat)
    return found


def parent_in(stat: str) -> int:
    """The parent in a line of ``/proc/<pid>/stat``; the command in brackets may hold anything."""
    return int(stat.rpartition(")")[2].split()[1])


def descendants(pids: Iterable[int], parent_of: dict[int, int]) -> set[int]:
    """``pids`` and everything below them."""
    found = set(pids)
    while more := {pid for pid, parent in parent_of.items() if parent in found} - found:
        found |= more
    return found


def memory(pids: Iterable[int]) -> float:
    """Megabytes of process trees; what processes share is counted once (PSS)."""
    total = 0
    for pid in descendants(pids, parents()):
        try:
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def spent_by_thread(pid: int, thread: int) -> Spent:
    """One thread; nothing for one that is gone."""
    task = PROC / str(pid) / "task" / str(thread)
    try:
        nanoseconds = int((task / "schedstat").read_text().split()[0])
        status = (task / "status").read_text().splitlines()
    except OSError:
        return Spent()
    waits = next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))
    return Spent(nanoseconds / 1e9, waits)


def spent(pid: int) -> Spent:
    """All threads of a process."""
    total = Spent()
    try:
        threads = [int(entry.name) for entry in (PROC / str(pid) / "task").iterdir()]
    except OSError:
        return total
    for thread in threads:
        total += spent_by_thread(pid, thread)
    return total
