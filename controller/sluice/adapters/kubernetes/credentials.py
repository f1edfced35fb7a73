"""Who Sluice is to an API server: where it is, whom it trusts, what it shows.

The official client knows all the ways (exec plugins, OIDC, token files, client certificates, a pod's own service account),
so it loads them. It is imported only here and only when somebody loads credentials: it takes a third of a second.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sluice.ports.errors import Unavailable

if TYPE_CHECKING:
    from kubernetes.client import Configuration


@dataclass(frozen=True, slots=True)
class Server:
    """One API server. ``tls`` is None for plain http; ``tls_name`` is the name in its certificate, where it differs."""

    url: str
    tls: ssl.SSLContext | None = None
    tls_name: str = ""
    proxy: str = ""


class Credentials(Protocol):
    """What a connection needs. Any thread may ask."""

    def server(self) -> Server:
        """Where to connect, with what certificates."""

    def authorization(self) -> str:
        """The Authorization header to send now; empty if a certificate says it all."""

    def renew(self) -> None:
        """The server refused what was shown: load it again."""


class Token:
    """A bearer token that somebody hands in, for one server. ``authority`` is its CA certificate as PEM."""

    def __init__(self, url: str, token: str, *, authority: str = "") -> None:
        tls = ssl.create_default_context(cadata=authority or None) if url.startswith("https:") else None
        self._server = Server(url.rstrip("/"), tls)
        self._header = f"Bearer {token}" if token else ""

    def server(self) -> Server:
        """The server as it was given."""
        return self._server

    def authorization(self) -> str:
        """The token as it was given."""
        return self._header

    def renew(self) -> None:
        """There is nothing newer."""


class Loaded:
    """Credentials that the official client loads, keeps fresh, and loads again when the server refuses them."""

    def __init__(self, load: Callable[[], Configuration]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self.renew()

    def server(self) -> Server:
        """Where to connect; certificates may be others after ``renew``."""
        return self._server

    def authorization(self) -> str:
        """The header; runs the exec plugin or reads the token file again when the token is about to expire."""
        with self._lock:
            token = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        word, _, secret = (token or "").partition(" ")
        return f"Bearer {secret}" if secret else f"Bearer {word}" if word else ""

    def renew(self) -> None:
        """Load everything again: a token file or a certificate may have been replaced, a plugin must run anew."""
        with self._lock:
            self._configuration = self._load()
            self._server = _server(self._configuration)


def from_kubeconfig(path: Path | None = None, context: str = "") -> Credentials:
    """Credentials of a kubeconfig file: of ``path``, or where kubectl looks. Unavailable if it holds none."""

    def load() -> Configuration:
        from kubernetes.client import Configuration  # noqa: PLC0415
        from kubernetes.config import load_kube_config  # noqa: PLC0415

        made = Configuration()
        load_kube_config(  # type: ignore[no-untyped-call]  # the client has no types here
            config_file=str(path) if path else None,
            context=context or None,
            client_configuration=made,
            persist_config=False,
        )
        return made

    return _loaded(load, f"the kubeconfig {path or 'in the usual places'}")


def in_cluster() -> Credentials:
    """Credentials of the service account of the pod that this process runs in. Unavailable outside of a pod."""

    def load() -> Configuration:
        from kubernetes.client import Configuration  # noqa: PLC0415
        from kubernetes.config import load_incluster_config  # noqa: PLC0415

        made = Configuration()
        load_incluster_config(client_configuration=made)  # type: ignore[no-untyped-call]  # nor here
        return made

    return _loaded(load, "the pod's service account")


def _loaded(load: Callable[[], Configuration], what: str) -> Loaded:
    try:
        from kubernetes.config import ConfigException  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("a cluster needs the extra `cluster`: pip install 'sluice-controller[cluster]'") from error
    try:
        return Loaded(load)
    except (ConfigException, OSError, ssl.SSLError) as error:
        raise Unavailable(f"no credentials in {what}: {error}") from error


def _server(configuration: Configuration) -> Server:
    url = str(configuration.host).rstrip("/")
    proxy, name = str(configuration.proxy or ""), str(configuration.tls_server_name or "")
    if not url.startswith("https:"):
        return Server(url, proxy=proxy)
    tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if not configuration.verify_ssl:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        tls.load_cert_chain(configuration.cert_file, configuration.key_file)
    return Server(url, tls, name, proxy)
