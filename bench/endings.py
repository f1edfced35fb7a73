"""Waiting for the recorded end of runs, whoever tells of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from typing import Any

from bench.definitions import ENDED

PATIENCE = 120.0
"""Seconds. A run that takes longer is a failure of the benchmark, not a figure."""


class Endings:
    """The runs that have ended. ``tell`` may be called from any thread, ``wait`` from one."""

    def __init__(self) -> None:
        self._names = itertools.count(1)
        self._ended: dict[str, dict[str, Any]] = {}
        self._wanted: set[str] = set()
        self._changed = threading.Condition()

    def names(self, count: int) -> list[str]:
        """Names for new runs, waited for from now on."""
        names = [f"r{next(self._names)}" for _ in range(count)]
        with self._changed:
            self._wanted |= set(names)
        return names

    def tell(self, obj: dict[str, Any]) -> None:
        """A run has changed."""
        if obj.get("status", {}).get("phase") in ENDED:
            with self._changed:
                name = obj["metadata"]["name"]
                self._ended[name] = obj
                self._wanted.discard(name)
                if not self._wanted:
                    self._changed.notify()

    def wait(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """The ended runs of these names. RuntimeError when one did not succeed, TimeoutError when one does not end."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._wanted, PATIENCE):
                raise TimeoutError(f"{len(self._wanted)} runs did not end in {PATIENCE:g} s")
            found = [self._ended.pop(name) for name in names]
        for one in found:
            if one["status"]["phase"] != "Succeeded":
                raise RuntimeError(f"run {one['metadata']['name']} did not succeed: {one['status']}")
        return found
