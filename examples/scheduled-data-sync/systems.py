"""A CRM and a warehouse to try the example with, both behind one address.

`python systems.py [PORT]` listens on 127.0.0.1, port 8026 unless said: `GET /contacts?since=DAY` is the CRM's,
`PUT /contacts` and `POST /messages` are the warehouse's; `GET /` shows what the warehouse holds.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

CONTACTS = Path(__file__).parent / "contacts.json"


class Systems(ThreadingHTTPServer):
    """Both systems. ``failures`` are statuses with which the CRM answers first."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.contacts: list[dict[str, Any]] = json.loads(CONTACTS.read_text())
        self.warehouse: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.failures: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Systems

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path != "/contacts":
            self._answer(200, {"contacts": self.server.warehouse, "messages": self.server.messages})
        elif self.server.failures:
            self._answer(self.server.failures.pop(0), {"error": "the CRM is busy"})
        else:
            since = parse_qs(asked.query).get("since", [""])[0]
            self._answer(200, [row for row in self.server.contacts if row["changed"] >= since])

    def do_PUT(self) -> None:
        rows = self._body()
        self.server.warehouse.update({str(row["id"]): row for row in rows})
        self._answer(200, {"written": len(rows)})

    def do_POST(self) -> None:
        self.server.messages.append(self._body())
        self._answer(201, {})

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

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
    with Systems(int(sys.argv[1]) if len(sys.argv) > 1 else 8026) as systems:
        print(f"CRM and warehouse listen at {systems.url}")
        try:
            systems.serve_forever()
        except KeyboardInterrupt:
            print()
