"""A line between two programs that a test can disturb: cut, black-holed, slow, closed to new callers, or answering 429 and 503.

It passes bytes on as they are; only where it is to answer in the server's place must the caller speak plain HTTP. It can
speak TLS to the server then.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Address = tuple[str, int]

CHUNK = 1 << 16
_REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that was passed on; ``at`` by the monotonic clock."""

    at: float
    method: str
    path: str


class Proxy:
    """Listens from ``start`` to ``stop``. ``target`` is asked for each connection; it raises OSError where there is none.

    All of its disturbances may be changed from any thread, and hold until they are changed again.
    """

    def __init__(self, target: Callable[[], Address], *, listen: Address, tls: ssl.SSLContext | None = None) -> None:
        self.hangs = False
        """Nothing passes, and nobody is told: what was sent meanwhile arrives later."""
        self.denies = False
        """New connections are ended at once."""
        self.delay_s = 0.0
        """Of every piece, in each direction."""
        self.answer: tuple[int, str] | None = None
        """A status in place of the server's answer, and its Retry-After."""
        self.seen: list[Seen] = []
        """Requests, where they are plain."""
        self._target = target
        self._listen = listen
        self._tls = tls
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"proxy-{listen[1]}", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listen[1]

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()
        assert self._up.wait(30), "the proxy does not listen"

    def stop(self) -> None:
        """End everything. Safe to call twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def cut(self) -> None:
        """End all connections there are, without a word."""
        self._loop.call_soon_threadsafe(self._abort_all)

    # -- the loop's thread ------------------------------------------------------------------------------------------
    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(self._accepted, *self._listen, limit=CHUNK))
        self._up.set()
        loop.run_forever()
        server.close()
        self._abort_all()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    def _abort_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if not self.denies:
                await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target()
        name = host if self._tls else None
        from_server, to_server = await asyncio.open_connection(host, port, ssl=self._tls, server_hostname=name)
        self._open.add(to_server)
        ways = [
            asyncio.create_task(self._ask(reader, writer, to_server)),
            asyncio.create_task(self._tell(from_server, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._open.discard(to_server)
            to_server.transport.abort()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.drain(), 1)
            writer.close()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_server: asyncio.StreamWriter
    ) -> None:
        """What the caller says, to the server."""
        while data := await reader.read(CHUNK):
            head = _REQUEST.match(data)
            if head:
                if self.answer:
                    await self._answer(reader, writer, data)
                    return
                self.seen.append(Seen(time.monotonic(), head[1].decode(), head[2].decode()))
            await self._pass(data, to_server)

    async def _tell(self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What the server says, to the caller."""
        while data := await from_server.read(CHUNK):
            await self._pass(data, writer)

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        while self.hangs:
            await asyncio.sleep(0.05)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        writer.write(data)
        await writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Refuse one request, once all of it is there: else the caller would not read the answer."""
        while b"\r\n\r\n" not in data:
            data += await reader.readexactly(1)
        head, _, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        await reader.readexactly(max(0, int(length[1]) - len(body)) if length else 0)
        status, later = self.answer or (503, "1")
        said = f"HTTP/1.1 {status} Later\r\nRetry-After: {later}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(said.encode())
        await writer.drain()
