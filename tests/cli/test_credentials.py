from __future__ import annotations

import base64
import ssl
import stat
from pathlib import Path

import pytest

from sluice.cli.credentials import (
    Credentials,
    credentials_of,
    impersonation_of,
    is_loopback,
    may_send_token,
    tls_context,
)
from sluice.cli.failures import Failed, Wrong
from sluice.cli.kubeconfig import Target


def program(folder: Path, text: str) -> str:
    path = folder / "login"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_token_stands_in_place_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert credentials_of(Target("https://a", user={"token": "in-place"})).token == "in-place"
    assert credentials_of(Target("https://a", user={"tokenFile": str(tmp_path / "token")})).token == "from-file"


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(Failed, match="/nowhere can't be read: No such file"):
        credentials_of(Target("https://a", user={"tokenFile": "/nowhere"}))


def test_certificates_stand_in_place_or_in_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"key")
    user = {"client-certificate-data": base64.b64encode(b"cert").decode(), "client-key": str(tmp_path / "key")}
    assert credentials_of(Target("https://a", user=user)) == Credentials("", b"cert", b"key")
    with pytest.raises(Wrong, match="client-certificate-data is no base64"):
        credentials_of(Target("https://a", user={"client-certificate-data": "?"}))


def test_a_program_is_asked_with_its_arguments_and_environment(tmp_path: Path) -> None:
    command = program(tmp_path, """printf '{"status": {"token": "%s-%s"}}' "$1" "$REGION" """)
    settings = {"command": command, "args": ["login"], "env": [{"name": "REGION", "value": "north"}]}
    assert credentials_of(Target("https://a", user={"exec": settings})).token == "login-north"


@pytest.mark.parametrize(
    ("text", "message"),
    [("exit 3", "gave no credentials: .*exit status 3"), ("echo hello", "printed no ExecCredential")],
)
def test_a_program_that_gives_nothing_fails_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Failed, match=message):
        credentials_of(Target("https://a", user={"exec": {"command": program(tmp_path, text)}}))


def test_a_program_that_is_not_installed_gives_its_hint() -> None:
    settings = {"command": "/no/such/login", "installHint": "Install it."}
    with pytest.raises(Failed, match="Install it"):
        credentials_of(Target("https://a", user={"exec": settings}))


@pytest.mark.parametrize(
    ("server", "safe"),
    [("https://far", True), ("http://127.0.0.1:1", True), ("http://[::1]:1", True), ("http://far", False)],
)
def test_a_token_never_goes_over_the_network_in_the_clear(server: str, safe: bool) -> None:
    assert may_send_token(server) is safe


def test_only_this_machine_is_loopback() -> None:
    assert is_loopback("http://localhost:7717")
    assert not is_loopback("http://localhost.example.com")


def test_verification_is_left_out_only_where_the_file_says_so() -> None:
    assert tls_context(Target("https://a"), Credentials()).verify_mode is ssl.CERT_REQUIRED
    lax = Target("https://a", cluster={"insecure-skip-tls-verify": True})
    assert tls_context(lax, Credentials()).verify_mode is ssl.CERT_NONE


def test_a_certificate_that_is_none_is_wrong_input() -> None:
    with pytest.raises(Wrong, match="a certificate or key can't be read"):
        tls_context(Target("https://a"), Credentials("", b"nonsense", b"nonsense"))


@pytest.mark.parametrize(
    ("user", "headers"),
    [
        ({"token": "t"}, []),
        ({"as": ""}, []),
        ({"as": "bob"}, [("impersonate-user", "bob")]),
        (
            {"as": "bob", "as-uid": "7", "as-groups": ["leads", "ops"], "as-user-extra": {"acme.com/scope": ["read"]}},
            [
                ("impersonate-user", "bob"),
                ("impersonate-uid", "7"),
                ("impersonate-group", "leads"),
                ("impersonate-group", "ops"),
                ("impersonate-extra-acme.com%2Fscope", "read"),
            ],
        ),
    ],
)
def test_who_acts_as_somebody_else_says_so(user: dict[str, object], headers: list[tuple[str, str]]) -> None:
    assert impersonation_of(user) == headers
