"""Servers with the controller's certificates, and clients that trust its authority, over real TLS."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from sluice.adapters.kubernetes.authority import Authority, Certificates
from sluice.adapters.kubernetes.issuing import pem_of, read_certificates
from sluice.adapters.kubernetes.serving import ServingContext
from sluice.ports.clock import SystemClock
from tests.adapters.sqlite.stores import Opened

SERVICE = "sluice-controller.default.svc"
SECOND = b"and another line"


def made() -> Certificates:
    """Certificates as of now, of an authority of their own."""
    with Opened() as opened:
        return Authority(opened.store, "default", clock=SystemClock()).refresh()


class Server:
    """Says a word to whoever connects, each in a thread, as long as it lasts."""

    def __init__(self, serving: ServingContext) -> None:
        self._serving = serving
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            try:
                with self._serving.context.wrap_socket(connection, server_side=True) as secured:
                    while line := secured.recv(100):
                        secured.sendall(line)
            except OSError:
                connection.close()


@pytest.fixture
def certificates() -> Certificates:
    return made()


@pytest.fixture
def serving(certificates: Certificates) -> ServingContext:
    return ServingContext(certificates)


@pytest.fixture
def server(serving: ServingContext) -> Iterator[Server]:
    running = Server(serving)
    yield running
    running.stop()


def trusting(certificates: Certificates) -> ssl.SSLContext:
    """A client as strict as newer Pythons are by themselves."""
    context = ssl.create_default_context(cadata=certificates.authorities)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def connected(server: Server, context: ssl.SSLContext, name: str | None = SERVICE) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(server.address, 20), server_hostname=name)


def shown(server: Server, context: ssl.SSLContext, name: str | None = SERVICE) -> bytes:
    """The certificate that the server shows, after a word each way."""
    with connected(server, context, name) as connection:
        connection.sendall(b"hello")
        assert connection.recv(100) == b"hello"
        certificate = connection.getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


def der(certificates: Certificates) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem_of(read_certificates(certificates.serving)[0]).decode())


@pytest.mark.parametrize(
    "name", [SERVICE, "sluice-controller.default.svc.cluster.local", "sluice-controller.default", "sluice-controller"]
)
def test_clients_that_trust_the_authority_trust_the_server_by_each_of_its_names(
    server: Server, certificates: Certificates, name: str
) -> None:
    assert shown(server, trusting(certificates), name) == der(certificates)


def test_other_names_and_other_authorities_are_not_trusted(server: Server, certificates: Certificates) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shown(server, trusting(certificates), "sluice-controller.other.svc")
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(server, trusting(made()))


def test_a_client_that_names_no_server_is_served_too(server: Server, certificates: Certificates) -> None:
    context = trusting(certificates)
    context.check_hostname = False
    assert shown(server, context, None) == der(certificates)


def test_other_certificates_are_shown_from_the_next_connection_on(
    server: Server, serving: ServingContext, certificates: Certificates
) -> None:
    newer = made()
    context, old = serving.context, trusting(certificates)
    with connected(server, old) as open_before:
        serving.load(newer)
        open_before.sendall(SECOND)
        assert open_before.recv(100) == SECOND
    assert shown(server, trusting(newer)) == der(newer)
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(server, old)
    assert serving.context is context


def test_nobody_is_turned_away_while_certificates_are_replaced(certificates: Certificates) -> None:
    serving, is_over = ServingContext(certificates), threading.Event()

    def load() -> None:
        while not is_over.is_set():
            serving.load(certificates)

    loader, servers, context = threading.Thread(target=load), Server(serving), trusting(certificates)
    loader.start()
    try:
        for _ in range(25):
            shown(servers, context)
    finally:
        is_over.set()
        loader.join(20)
        servers.stop()


def test_old_protocols_are_refused(server: Server, certificates: Certificates) -> None:
    context = trusting(certificates)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"version|reset|EOF"):
        shown(server, context)


def test_a_server_on_an_event_loop_takes_the_context_as_it_is(
    serving: ServingContext, certificates: Certificates
) -> None:
    async def talk(trust: ssl.SSLContext) -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving.context)
        async with server:
            host, port = server.sockets[0].getsockname()[:2]
            reader, writer = await asyncio.open_connection(host, port, ssl=trust, server_hostname=SERVICE)
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return line

    assert asyncio.run(talk(trusting(certificates))) == b"hello\n"
    newer = made()
    serving.load(newer)
    assert asyncio.run(talk(trusting(newer))) == b"hello\n"


def test_who_was_told_of_the_authorities_two_months_ago_trusts_what_is_served_now() -> None:
    """A pod is told of them once, when it is made."""
    with Opened() as opened:
        authority = Authority(opened.store, "default", clock=opened.clock)
        opened.clock.time = SystemClock().now() - dt.timedelta(days=60 + 3650 - 365)
        first = authority.refresh()
        opened.clock.advance(days=3650 - 365)
        two_months_ago = authority.refresh()
        opened.clock.advance(days=60)
        now = authority.refresh()
    running = Server(serving := ServingContext(two_months_ago))
    try:
        assert shown(running, trusting(first)) == der(two_months_ago)
        serving.load(now)
        assert shown(running, trusting(two_months_ago)) == der(now)
        with pytest.raises(ssl.SSLCertVerificationError):
            shown(running, trusting(first))
    finally:
        running.stop()


def test_no_key_is_left_on_a_disk(
    certificates: Certificates, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ServingContext(certificates)
    assert not os.listdir(str(tmp_path))


def test_where_there_are_no_files_in_memory_the_key_is_readable_by_its_user_alone_and_for_a_moment(
    certificates: Certificates, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def look(context: ssl.SSLContext, path: str) -> None:
        seen.append(os.stat(path).st_mode & 0o777)
        load(context, path)

    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    ServingContext(certificates)
    assert set(seen) == {0o600}
    assert not os.listdir(str(tmp_path))
