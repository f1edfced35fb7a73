"""A help desk to try the example with: it takes what is posted, and tells what it has.

`python desk.py [PORT]` listens on 127.0.0.1, port 8025 unless said. `GET /` lists everything that was posted. A second
post with the same Idempotency-Key is the same ticket: that is what the key is for.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIXES = {"/escalations": "E", "/replies": "R", "/apologies": "A"}


class Desk(ThreadingHTTPServer):
    """Keeps tickets in memory. ``failures`` are statuses that it answers with first, one for each post of a reply."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.tickets: dict[str, dict[str, Any]] = {}
        self.failures: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """The ticket of this key, a new one if it is new."""
        new = {"id": f"{PREFIXES[path]}-{len(self.tickets) + 1}", "kind": path.strip("/"), **body}
        return self.tickets.setdefault(key, new)


class _Handler(BaseHTTPRequestHandler):
    server: Desk

    def do_GET(self) -> None:
        self._answer(200, list(self.server.tickets.values()))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path not in PREFIXES:
            self._answer(404, {"error": f"post to one of {', '.join(PREFIXES)}"})
        elif self.path == "/replies" and self.server.failures:
            self._answer(self.server.failures.pop(0), {"error": "try again"})
        else:
            self._answer(201, self.server.take(self.path, self.headers["Idempotency-Key"], body))

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body, indent=2).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: ``GET /`` tells more."""


if __name__ == "__main__":
    with Desk(int(sys.argv[1]) if len(sys.argv) > 1 else 8025) as desk:
        print(f"The desk listens at {desk.url}")
        try:
            desk.serve_forever()
        except KeyboardInterrupt:
            print()
