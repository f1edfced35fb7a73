"""A kubeconfig out of a workspace's Secret: what stands in it is used, and nothing that it points to.

Who writes it is not who owns the machine that reads it. A command in it would run beside the controller, and a path would
be read from the controller's disk and sent to a server of the writer's choice. So it names a server and shows a
certificate or a token, both of them inline, and anything else is refused by name.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from sluice.domain.definition.validation.findings import did_you_mean, join

_INLINE: Final = "put what is in the file into {instead}"
_REFUSED_OF_CLUSTERS: Final[Mapping[str, str]] = MappingProxyType(
    {"certificate-authority": _INLINE.format(instead="certificate-authority-data")}
)
_REFUSED_OF_USERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "exec": "no command is run for it; use token, or a client certificate",
        "auth-provider": "use token, or a client certificate",
        "tokenFile": _INLINE.format(instead="token"),
        "client-certificate": _INLINE.format(instead="client-certificate-data"),
        "client-key": _INLINE.format(instead="client-key-data"),
        "username": "API servers take no passwords; use token, or a client certificate",
        "password": "API servers take no passwords; use token, or a client certificate",
        "as": "use the credentials of the one who is meant",
        "as-uid": "use the credentials of the one who is meant",
        "as-groups": "use the credentials of the one who is meant",
        "as-user-extra": "use the credentials of the one who is meant",
    }
)
_TOKEN = re.compile(r"[\x21-\x7e]+")


class Unusable(ValueError):
    """A kubeconfig that is not used. ``field`` is where it is wrong, empty for the whole; the message says what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One server and who to be there. ``authority`` and ``certificate`` are PEM; without the first, public ones count."""

    server: str
    tls_name: str = ""
    proxy: str = ""
    authority: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def kubeconfig_of(document: Any, context: str = "") -> Kubeconfig:
    """What a kubeconfig's ``context`` (its current one unless given) stands for. Unusable says why it stands for nothing.

    ``document`` is YAML whose scalars are all text.
    """
    if not isinstance(document, Mapping):
        raise Unusable("", "is no kubeconfig; put one there as kubectl config view --raw --flatten prints it")
    name = context or _text(document, "current-context", "")
    if not name:
        raise Unusable(
            "current-context", "is empty; name a context, here or in spec.cluster.context of the Environment"
        )
    chosen, _ = _named(document, "contexts", "context", name)
    cluster, where = _named(document, "clusters", "cluster", _text(chosen, "cluster", f"the context {name}"))
    user, whose = _named(document, "users", "user", _text(chosen, "user", f"the context {name}"))
    for part, place, refused in ((cluster, where, _REFUSED_OF_CLUSTERS), (user, whose, _REFUSED_OF_USERS)):
        for key, instead in refused.items():
            if part.get(key):
                raise Unusable(join(place, key), f"is refused: {instead}")
    made = Kubeconfig(
        server=_server(cluster, where),
        tls_name=_text(cluster, "tls-server-name", where),
        proxy=_proxy(cluster, where),
        authority=_pem(cluster, "certificate-authority-data", where),
        certificate=_pem(user, "client-certificate-data", whose),
        key=_pem(user, "client-key-data", whose),
        token=_token(user, whose),
    )
    if bool(made.certificate) != bool(made.key):
        missing = "client-key-data" if made.certificate else "client-certificate-data"
        raise Unusable(join(whose, missing), "is missing; a certificate and its key go together")
    if not (made.token or made.certificate):
        raise Unusable(whose, "shows nothing to the server; give it a token, or a client certificate and its key")
    return made


def _named(document: Mapping[str, Any], plural: str, singular: str, name: str) -> tuple[Mapping[str, Any], str]:
    """The entry of a list by its name, and where it is."""
    listed = document.get(plural) or ()
    entries = listed if isinstance(listed, list) else ()
    for index, entry in enumerate(entries):
        if isinstance(entry, Mapping) and entry.get("name") == name:
            where = join(plural, index, singular)
            value = entry.get(singular) or {}
            if not isinstance(value, Mapping):
                raise Unusable(where, "is no map; write it as kubectl config view --raw --flatten prints it")
            return value, where
    known = [text for entry in entries if isinstance(entry, Mapping) and (text := entry.get("name"))]
    raise Unusable(plural, f"there is none named {name or '(nothing)'}; {_hint(name, map(str, known))}")


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    return did_you_mean(name, names, what="there are") if names else "add it"


def _text(part: Mapping[str, Any], key: str, where: str) -> str:
    value = part.get(key) or ""
    if not isinstance(value, str):
        raise Unusable(join(where, key), "must be text")
    return value


def _server(cluster: Mapping[str, Any], where: str) -> str:
    if _text(cluster, "insecure-skip-tls-verify", where).lower() not in ("", "false"):
        message = "is refused: whoever answers would get the credentials; give certificate-authority-data instead"
        raise Unusable(join(where, "insecure-skip-tls-verify"), message)
    field, url = join(where, "server"), _text(cluster, "server", where)
    if not url:
        raise Unusable(field, "is required; write the API server's address")
    if not _is_address(url, "https", path=True):
        raise Unusable(field, f"{url} is refused; write https://, a host, and a port or path where they are needed")
    return url.rstrip("/")


def _proxy(cluster: Mapping[str, Any], where: str) -> str:
    """One that passes TLS through, so that it sees nothing."""
    url = _text(cluster, "proxy-url", where)
    if url and not _is_address(url.rstrip("/"), "http", path=False):
        raise Unusable(
            join(where, "proxy-url"), f"{url} is refused; write http://, a host and a port, without a password"
        )
    return url.rstrip("/")


def _is_address(url: str, scheme: str, *, path: bool) -> bool:
    """Whether it is a host, perhaps a port, perhaps a path, and nothing else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = f"{scheme}://{parts.netloc}{parts.path}" == url and "@" not in parts.netloc
    return plain and bool(parts.hostname) and port != 0 and not re.search(r"[\s\\]", url) and (path or not parts.path)


def _pem(part: Mapping[str, Any], key: str, where: str) -> str:
    text = "".join(_text(part, key, where).split())
    if not text:
        return ""
    try:
        decoded = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise Unusable(join(where, key), f"is no base64 of PEM: {error}") from error
    if "-----BEGIN " not in decoded:
        raise Unusable(join(where, key), "is no base64 of PEM: it has no -----BEGIN line")
    return decoded


def _token(user: Mapping[str, Any], where: str) -> str:
    token = _text(user, "token", where).strip()
    if token and not _TOKEN.fullmatch(token):
        raise Unusable(join(where, "token"), "has characters in it that no token has; is it base64 of something?")
    return token
