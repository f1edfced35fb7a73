"""TLS for servers whose certificate is replaced while they run."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sluice.adapters.kubernetes.authority import Certificates


class ServingContext:
    """One ``ssl.SSLContext`` for as long as a server runs; ``load`` gives it other certificates.

    Loading into a context that other threads shake hands with would show them a certificate without its key for a
    moment. So each loading makes a context of its own, and every new connection is moved to the newest one when it
    begins; those that are open stay as they are.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._newest = _context(certificates)
        self.context = _context(certificates)
        self.context.sni_callback = self._choose

    def load(self, certificates: Certificates) -> None:
        """Show these from the next connection on. Any thread may call it."""
        self._newest = _context(certificates)

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called for each connection, also for one that names no server."""
        connection.context = self._newest


def _context(certificates: Certificates) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    with readable(certificates.serving + certificates.key) as path:
        made.load_cert_chain(path)
    return made


@contextmanager
def readable(content: bytes) -> Iterator[str]:
    """A path with this content, since OpenSSL reads keys from files only: in memory, or where only this user may read."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("certificates", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name
