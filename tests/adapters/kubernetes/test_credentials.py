"""Credentials as kubeconfig files and pods hold them, loaded by the official client and shown to a server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.adapters.kubernetes.credentials import Credentials, from_kubeconfig, in_cluster
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import ROLLOUT
from sluice.ports.errors import Unavailable
from sluice.ports.store import Ref
from tests.adapters.kubernetes.scripted import Answer, Scripted, refused, scripted
from tests.contracts.store.builders import rollout

REF = Ref(ROLLOUT, "team", "support")
GOOD = Answer(body=rollout("team"))
WHO_ARE_YOU = refused(401, "Unauthorized")
PLUGIN = """\
#!/bin/sh
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$(cat TOKEN)"
"""

Kubeconfig = Callable[[str, dict[str, Any]], Path]


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Kubeconfig:
    """Writes a file for one server and one user, and a second context for nobody."""

    def write(server: str, user: dict[str, Any]) -> Path:
        path = tmp_path / "kubeconfig"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": server}}],
            "users": [{"name": "ana", "user": user}, {"name": "nobody", "user": {}}],
            "contexts": [
                {"name": name, "context": {"cluster": "test", "user": name, "namespace": "x"}}
                for name in ("ana", "nobody")
            ],
            "current-context": "ana",
        }
        path.write_text(yaml.safe_dump(content))
        return path

    return write


def shown(server: Scripted, credentials: Credentials, requests: int = 1) -> list[str]:
    """What the server was shown in each request."""
    store = KubernetesStore(Transport(credentials))
    for _ in range(requests):
        store.get(REF)
    store.close()
    return [asked.headers.get("authorization", "") for asked in server.asked]


def test_a_token_in_the_file_is_shown(kubeconfig: Kubeconfig) -> None:
    with scripted(GOOD) as server:
        path = kubeconfig(server.url, {"token": "secret"})
        assert shown(server, from_kubeconfig(path)) == ["Bearer secret"]


def test_another_context_is_another_user(kubeconfig: Kubeconfig) -> None:
    with scripted(GOOD) as server:
        path = kubeconfig(server.url, {"token": "secret"})
        assert shown(server, from_kubeconfig(path, "nobody")) == [""]


def test_a_token_file_is_read_again_when_its_token_is_refused(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    with scripted(GOOD, WHO_ARE_YOU, GOOD) as server:
        credentials = from_kubeconfig(kubeconfig(server.url, {"tokenFile": str(token)}))
        token.write_text("new")
        assert shown(server, credentials, requests=2) == ["Bearer old", "Bearer old", "Bearer new"]


def test_a_plugin_is_asked_and_asked_again_when_its_token_is_refused(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    token, plugin = tmp_path / "token", tmp_path / "plugin"
    token.write_text("old")
    plugin.write_text(PLUGIN.replace("TOKEN", str(token)))
    plugin.chmod(0o755)
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    with scripted(WHO_ARE_YOU, GOOD) as server:
        credentials = from_kubeconfig(kubeconfig(server.url, {"exec": command}))
        token.write_text("new")
        assert shown(server, credentials) == ["Bearer old", "Bearer new"]


def test_a_missing_file_or_context_is_told(tmp_path: Path, kubeconfig: Kubeconfig) -> None:
    with pytest.raises(Unavailable, match=r"no credentials in the kubeconfig .*nowhere"):
        from_kubeconfig(tmp_path / "nowhere")
    with pytest.raises(Unavailable, match="no credentials in the kubeconfig"):
        from_kubeconfig(kubeconfig("http://127.0.0.1:1", {}), "elsewhere")


def test_outside_of_a_pod_there_is_no_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Unavailable, match="no credentials in the pod's service account"):
        in_cluster()


def test_the_official_client_is_imported_only_to_load_credentials() -> None:
    program = "import sys, sluice.adapters.kubernetes.store; print('kubernetes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
