"""Which kubeconfigs of a workspace are used, and what is said of the others."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sluice.domain.launching.kubeconfig import Kubeconfig, Unusable, kubeconfig_of

Obj = dict[str, Any]
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
AUTHORITY = {"certificate-authority-data": base64.b64encode(PEM.encode()).decode()}
CERTIFICATE = {"client-certificate-data": base64.b64encode(PEM.encode()).decode()}
CERTIFICATE_KEY = {"client-key-data": base64.b64encode(KEY.encode()).decode()}


def document(cluster: Obj | None = None, user: Obj | None = None, **more: Any) -> Obj:
    """A kubeconfig of two contexts, the first one the current."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "far", "cluster": {"server": "https://far.example.com:6443", **AUTHORITY, **(cluster or {})}},
            {"name": "other", "cluster": {"server": "https://other.example.com"}},
        ],
        "users": [{"name": "sluice", "user": {"token": "secret"} if user is None else user}],
        "contexts": [
            {"name": "far", "context": {"cluster": "far", "user": "sluice", "namespace": "ignored"}},
            {"name": "other", "context": {"cluster": "other", "user": "sluice"}},
        ],
        "current-context": "far",
        **more,
    }


def refusal(given: Any, context: str = "") -> tuple[str, str]:
    with pytest.raises(Unusable) as caught:
        kubeconfig_of(given, context)
    return caught.value.field, str(caught.value)


def test_the_current_context_names_a_server_and_a_token() -> None:
    assert kubeconfig_of(document()) == Kubeconfig("https://far.example.com:6443", authority=PEM, token="secret")


def test_another_context_may_be_named() -> None:
    assert kubeconfig_of(document(), "other") == Kubeconfig("https://other.example.com", token="secret")


def test_a_client_certificate_is_as_good_as_a_token() -> None:
    made = kubeconfig_of(document(user={**CERTIFICATE, **CERTIFICATE_KEY}))
    assert (made.certificate, made.key, made.token) == (PEM, KEY, "")


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        ({"server": "https://rancher.example.com/k8s/clusters/c-1/"}, "https://rancher.example.com/k8s/clusters/c-1"),
        ({"server": "https://[2001:db8::1]:6443"}, "https://[2001:db8::1]:6443"),
        ({"insecure-skip-tls-verify": "false"}, "https://far.example.com:6443"),
    ],
)
def test_addresses_of_all_shapes_are_taken(cluster: Obj, expected: str) -> None:
    assert kubeconfig_of(document(cluster)).server == expected


def test_the_name_in_the_certificate_and_a_proxy_may_be_given() -> None:
    made = kubeconfig_of(document({"tls-server-name": "kubernetes", "proxy-url": "http://proxy.example.com:3128/"}))
    assert (made.tls_name, made.proxy) == ("kubernetes", "http://proxy.example.com:3128")


def test_what_is_secret_does_not_show() -> None:
    assert "secret" not in repr(kubeconfig_of(document()))
    assert "PRIVATE" not in repr(kubeconfig_of(document(user={**CERTIFICATE, **CERTIFICATE_KEY})))


@pytest.mark.parametrize(
    ("user", "field", "instead"),
    [
        ({"exec": {"command": "aws"}}, "exec", "no command is run for it; use token, or a client certificate"),
        ({"auth-provider": {"name": "gcp"}}, "auth-provider", "use token, or a client certificate"),
        ({"tokenFile": "/var/run/secrets/token"}, "tokenFile", "put what is in the file into token"),
        (
            {"client-certificate": "/c.pem"},
            "client-certificate",
            "put what is in the file into client-certificate-data",
        ),
        ({"client-key": "/k.pem"}, "client-key", "put what is in the file into client-key-data"),
        ({"username": "ana", "password": "x"}, "username", "API servers take no passwords"),
        ({"token": "t", "as": "system:admin"}, "as", "use the credentials of the one who is meant"),
    ],
)
def test_nothing_that_a_user_points_to_is_used(user: Obj, field: str, instead: str) -> None:
    where, message = refusal(document(user=user))
    assert where == f"users[0].user.{field}"
    assert message.startswith("is refused: ")
    assert instead in message


@pytest.mark.parametrize(
    ("cluster", "field", "message"),
    [
        ({"certificate-authority": "/ca.pem"}, "certificate-authority", "certificate-authority-data"),
        ({"insecure-skip-tls-verify": "true"}, "insecure-skip-tls-verify", "whoever answers would get"),
        ({"server": "http://far.example.com"}, "server", "write https://"),
        ({"server": ""}, "server", "is required"),
        ({"server": "https://ana:secret@far.example.com"}, "server", "write https://"),
        ({"server": "https://far.example.com?x=1"}, "server", "write https://"),
        ({"server": "https://far.example.com:port"}, "server", "write https://"),
        ({"server": "https://"}, "server", "write https://"),
        ({"server": "https://far.example.com /x"}, "server", "write https://"),
        ({"proxy-url": "socks5://proxy:1080"}, "proxy-url", "write http://"),
        ({"proxy-url": "http://ana:secret@proxy:3128"}, "proxy-url", "without a password"),
        ({"certificate-authority-data": "!"}, "certificate-authority-data", "is no base64 of PEM"),
        ({"certificate-authority-data": "aGVsbG8="}, "certificate-authority-data", "no -----BEGIN line"),
        ({"server": ["https://far.example.com"]}, "server", "must be text"),
    ],
)
def test_a_server_is_reached_safely_or_not_at_all(cluster: Obj, field: str, message: str) -> None:
    where, told = refusal(document(cluster))
    assert where == f"clusters[0].cluster.{field}"
    assert message in told


@pytest.mark.parametrize(
    ("user", "field", "message"),
    [
        ({}, "users[0].user", "give it a token, or a client certificate and its key"),
        (CERTIFICATE, "users[0].user.client-key-data", "is missing"),
        ({**CERTIFICATE_KEY, "token": "x"}, "users[0].user.client-certificate-data", "is missing"),
        ({"token": "two words"}, "users[0].user.token", "has characters in it that no token has"),
        ({"token": "x\r\nhost: elsewhere"}, "users[0].user.token", "has characters in it that no token has"),
    ],
)
def test_credentials_are_whole(user: Obj, field: str, message: str) -> None:
    where, told = refusal(document(user=user))
    assert where == field
    assert message in told


@pytest.mark.parametrize(
    ("given", "context", "field", "message"),
    [
        (None, "", "", "is no kubeconfig"),
        ("text", "", "", "is no kubeconfig"),
        ({}, "", "current-context", "name a context"),
        (document(), "fra", "contexts", "there is none named fra; did you mean far?"),
        (document(contexts="x"), "", "contexts", "there is none named far; add it"),
        (document(clusters=[]), "", "clusters", "there is none named far; add it"),
        (document(users=[{"name": "sluice", "user": "x"}]), "", "users[0].user", "is no map"),
    ],
)
def test_what_is_no_kubeconfig_says_where(given: Any, context: str, field: str, message: str) -> None:
    where, told = refusal(given, context)
    assert where == field
    assert message in told
