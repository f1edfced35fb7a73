from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.cli.failures import CliError, Failed, Wrong
from sluice.cli.kubeconfig import Target, Wish, find_target


def config(server: str, *, context: str = "main", namespace: str = "", user: dict[str, Any] | None = None) -> str:
    inner = {"cluster": context, "user": context} | ({"namespace": namespace} if namespace else {})
    return yaml.safe_dump(
        {
            "clusters": [{"name": context, "cluster": {"server": server}}],
            "users": [{"name": context, "user": user or {}}],
            "contexts": [{"name": context, "context": inner}],
            "current-context": context,
        }
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found(tmp_path: Path, wish: Wish | None = None, **environ: str) -> Target:
    return find_target(wish or Wish(), environ, here=tmp_path / "here", home=tmp_path / "home")


def test_the_option_comes_before_the_variable(tmp_path: Path) -> None:
    one = write(tmp_path / "one", config("https://one"))
    two = write(tmp_path / "two", config("https://two"))
    assert found(tmp_path, Wish(kubeconfig=str(one)), KUBECONFIG=str(two)).server == "https://one"


def test_the_variable_comes_before_what_lies_here(tmp_path: Path) -> None:
    write(tmp_path / "here" / ".sluice" / "kubeconfig", config("http://here"))
    two = write(tmp_path / "two", config("https://two"))
    assert found(tmp_path, KUBECONFIG=str(two)).server == "https://two"


def test_the_server_started_here_comes_before_the_one_at_home(tmp_path: Path) -> None:
    write(tmp_path / "home" / ".kube" / "config", config("https://home"))
    assert found(tmp_path).server == "https://home"
    write(tmp_path / "here" / ".sluice" / "kubeconfig", config("http://here"))
    assert found(tmp_path).server == "http://here"


def test_the_data_folder_may_be_elsewhere(tmp_path: Path) -> None:
    write(tmp_path / "data" / "kubeconfig", config("http://data"))
    assert found(tmp_path, SLUICE_DATA=str(tmp_path / "data")).server == "http://data"
    with pytest.raises(Failed, match="start the server with `sluice up --data /nowhere`"):
        found(tmp_path, SLUICE_DATA="/nowhere")


def test_a_context_is_looked_for_at_home_and_here(tmp_path: Path) -> None:
    write(tmp_path / "here" / ".sluice" / "kubeconfig", config("http://here", context="sluice"))
    write(tmp_path / "home" / ".kube" / "config", config("https://home", context="work"))
    assert found(tmp_path, Wish(context="work")).server == "https://home"
    assert found(tmp_path, Wish(context="sluice")).server == "http://here"


def test_of_several_files_the_first_to_say_something_counts(tmp_path: Path) -> None:
    one = write(tmp_path / "one", config("https://one", namespace="first"))
    two = write(tmp_path / "two", config("https://two", namespace="second"))
    other = write(tmp_path / "other", config("https://other", context="other"))
    files = f"{tmp_path / 'missing'}:{one}:{two}:{other}"
    merged = found(tmp_path, KUBECONFIG=files)
    assert (merged.server, merged.namespace) == ("https://one", "first")
    assert found(tmp_path, Wish(context="other"), KUBECONFIG=files).server == "https://other"


@pytest.mark.parametrize(
    ("said", "declared", "namespace"), [("", "", "default"), ("", "team", "team"), ("mine", "team", "mine")]
)
def test_the_namespace_is_the_options_then_the_contexts(
    tmp_path: Path, said: str, declared: str, namespace: str
) -> None:
    path = write(tmp_path / "one", config("https://one", namespace=declared))
    assert found(tmp_path, Wish(str(path), namespace=said)).namespace == namespace


def test_paths_are_relative_to_their_file(tmp_path: Path) -> None:
    path = write(tmp_path / "dir" / "config", config("https://one", user={"tokenFile": "token"}))
    assert found(tmp_path, Wish(str(path))).user["tokenFile"] == str(tmp_path / "dir" / "token")


@pytest.mark.parametrize(
    ("user", "asked"),
    [({"exec": {"command": "/bin/evil"}}, "a program to run"), ({"tokenFile": "/etc/secret"}, "a file to send")],
)
def test_a_file_that_lies_in_the_folder_runs_no_program_and_sends_no_file(
    tmp_path: Path, user: dict[str, Any], asked: str
) -> None:
    path = write(tmp_path / "here" / ".sluice" / "kubeconfig", config("http://here", user=user))
    with pytest.raises(Wrong, match=f"it names {asked}; give it with --kubeconfig"):
        found(tmp_path)
    assert found(tmp_path, Wish(str(path))).user == user


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("a: [", Wrong, "this is no kubeconfig"),
        ("- a", Wrong, "it must be a map"),
        ("clusters: [1]", Wrong, "clusters: each entry must have a name and a cluster"),
        ("{}", Wrong, "no current-context is set; there are: none"),
        ("current-context: a", Wrong, 'context "a" does not exist'),
        ("current-context: a\ncontexts: [{name: a, context: {cluster: b}}]", Wrong, 'the cluster "b", which has no'),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    tmp_path: Path, content: str, error: type[CliError], message: str
) -> None:
    path = write(tmp_path / "broken", content)
    with pytest.raises(error, match=message) as caught:
        found(tmp_path, Wish(str(path)))
    assert str(path) in str(caught.value)


def test_without_any_server_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"start one here with `sluice up`, or name a kubeconfig"):
        found(tmp_path)
    with pytest.raises(Wrong, match="--kubeconfig: there is no file"):
        found(tmp_path, Wish(kubeconfig="nope"))
    with pytest.raises(Failed, match="KUBECONFIG: there is no file nope"):
        found(tmp_path, KUBECONFIG="nope")
