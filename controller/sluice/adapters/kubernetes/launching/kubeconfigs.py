"""Credentials for another cluster out of a Secret: read, judged, and made ready for connections."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Callable
from typing import Any, Final

import yaml

from sluice.adapters.kubernetes.credentials import Server
from sluice.adapters.kubernetes.serving import readable
from sluice.domain.launching.kubeconfig import Kubeconfig, Unusable, kubeconfig_of
from sluice.ports.store import Obj

KEY: Final = "kubeconfig"
"""Where in the Secret it stands."""
LARGEST: Final = 64 * 1024
"""Bytes; a cluster and a user take about six thousand."""
DEEPEST: Final = 32
"""Maps and lists within each other."""


class InlineCredentials:
    """Credentials as a kubeconfig has them. ``refused`` is told when the server does not accept them (any more)."""

    def __init__(self, kubeconfig: Kubeconfig, *, refused: Callable[[], None] = lambda: None) -> None:
        """Unusable when the certificates in it are none."""
        self._server = Server(kubeconfig.server, _context(kubeconfig), kubeconfig.tls_name, kubeconfig.proxy)
        self._header = f"Bearer {kubeconfig.token}" if kubeconfig.token else ""
        self._refused = refused

    def server(self) -> Server:
        """The server of the kubeconfig."""
        return self._server

    def authorization(self) -> str:
        """The token of the kubeconfig, if it has one."""
        return self._header

    def renew(self) -> None:
        """There is nothing newer here; the Secret may have it."""
        self._refused()


def read_kubeconfig(secret: Obj, context: str) -> Kubeconfig:
    """The kubeconfig that a Secret holds. Unusable says what is wrong with it."""
    encoded = (secret.get("data") or {}).get(KEY)
    if not encoded:
        raise Unusable("", f"has no key {KEY}; put the kubeconfig there")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unusable(KEY, f"is no text: {error}") from error
    if len(text) > LARGEST:
        raise Unusable(KEY, f"has more than {LARGEST // 1024} KiB; keep only the context that is needed in it")
    return kubeconfig_of(_document(text), context)


def _document(text: str) -> Any:
    """YAML with all scalars as text. Looked over first: composing what nests too deep would end the process."""
    depth = 0
    try:
        for event in yaml.parse(text, yaml.CBaseLoader):
            if isinstance(event, yaml.AliasEvent):
                raise Unusable(KEY, "has an alias in it; write it as kubectl config view --raw --flatten prints it")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise Unusable(KEY, "nests too deep; write it as kubectl config view --raw --flatten prints it")
        return yaml.load(text, yaml.CBaseLoader)
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, Unusable):
            raise
        raise Unusable(KEY, "is no YAML; write it as kubectl config view --raw --flatten prints it") from error


def _context(kubeconfig: Kubeconfig) -> ssl.SSLContext:
    try:
        made = ssl.create_default_context(cadata=kubeconfig.authority or None)
    except (ssl.SSLError, ValueError) as error:
        raise Unusable("certificate-authority-data", f"is no certificate: {error}") from error
    if kubeconfig.certificate:
        try:
            with readable(f"{kubeconfig.certificate}\n{kubeconfig.key}".encode()) as path:
                made.load_cert_chain(path, password=b"")  # without one a person would be asked, who is not there
        except (ssl.SSLError, ValueError) as error:
            message = f"does not go with client-key-data, or one of them can't be read without a password: {error}"
            raise Unusable("client-certificate-data", message) from error
    return made
