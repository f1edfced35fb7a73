"""A real ``sluice up`` in a process of its own, to be killed at any moment."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

API = "/apis/sluice.dev/v1alpha1/namespaces/default"
START = 30.0


class Program:
    """Starts, kills and restarts ``sluice up`` on one folder; requests are repeated until they are answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._http = httpx.Client(timeout=10)
        self._url = ""
        self.starts = 0

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "sluice",
            "up",
            "--data",
            str(self._folder),
            "--listen",
            "127.0.0.1:0",
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.starts += 1
        self._url = self._await_ready()

    def _await_ready(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        lines: list[str] = []
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            until = time.monotonic() + START
            while selector.select(max(0.0, until - time.monotonic())):
                line = self._process.stdout.readline()
                lines.append(line)
                if "ready at" in line:
                    return line.split()[-1].strip()
                if not line:
                    break
        raise AssertionError(f"sluice up did not get ready ({self._process.wait(1)}): {''.join(lines)}")

    def descendants(self) -> list[int]:
        """The zygote, runners and workers, deepest last."""
        assert self._process is not None
        return _descendants(self._process.pid)

    def kill(self) -> None:
        """Kill the controller; everything it started must be gone soon after."""
        assert self._process is not None
        left = self.descendants()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._drop_output()
        until(lambda: not [pid for pid in left if _alive(pid)], f"processes that outlive the controller: {left}")

    def stop(self) -> None:
        assert self._process is not None
        left = self.descendants()
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(START) == 0
        self._drop_output()
        assert not [pid for pid in left if _alive(pid)]

    def close(self) -> None:
        self._http.close()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._drop_output()

    def _drop_output(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    def ask(self, method: str, path: str, body: Any = None, *, kind: str = "application/json") -> httpx.Response:
        headers = {"content-type": kind}
        return self._http.request(method, f"{self._url}{path}", json=body, headers=headers)

    def create(self, plural: str, obj: dict[str, Any]) -> bool:
        """Whether the server accepted it, now or at an earlier try; False when it gave no answer."""
        try:
            answer = self.ask("POST", f"{API}/{plural}", obj)
        except httpx.TransportError:
            return False
        assert answer.status_code in {201, 409}, answer.text
        return True

    def merge(self, plural: str, name: str, body: dict[str, Any]) -> None:
        answer = self.ask("PATCH", f"{API}/{plural}/{name}", body, kind="application/merge-patch+json")
        assert answer.status_code == 200, answer.text

    def get(self, path: str) -> dict[str, Any]:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def items(self, plural: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get(f"{API}/{plural}")["items"]
        return items


def until(condition: Callable[[], bool], message: str, seconds: float = 60.0) -> None:
    """Wait for a condition of another process."""
    end = time.monotonic() + seconds
    pause = selectors.DefaultSelector()
    while not condition():
        assert time.monotonic() < end, message
        pause.select(0.02)
    pause.close()


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry))
    found: list[int] = []
    todo = [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found
