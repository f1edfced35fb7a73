from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from sluice.cli.failures import Refused
from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig
from tests.cli.place import Place, call, workflow


@pytest.mark.parametrize(
    ("reason", "code"),
    [("Invalid", 2), ("BadRequest", 2), ("NotFound", 1), ("Conflict", 1), ("Forbidden", 1), ("", 1)],
)
def test_answers_that_blame_the_request_are_wrong_input(reason: str, code: int) -> None:
    assert Refused({"reason": reason, "message": "no"}, 400).exit_code == code


def test_causes_that_the_message_leaves_out_get_lines_of_their_own() -> None:
    causes = [{"field": "spec.a", "message": "is bad"}, {"field": "spec.b", "message": "is worse"}]
    refused = Refused({"reason": "Invalid", "message": "spec.a: is bad", "details": {"causes": causes}}, 422)
    assert str(refused) == "spec.a: is bad\n  spec.b: is worse"


def test_an_answer_without_words_still_tells_its_code() -> None:
    assert str(Refused({}, 502)) == "the server answered 502"


def test_what_the_server_refuses_is_wrong_input(place: Place) -> None:
    place.make(workflow())
    result = call("get", "workflows", "--field-selector", "spec.owner=ana")
    assert result.exit_code == 2
    assert "spec.owner" in result.stderr


def test_a_server_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        write_kubeconfig(tmp_path / ".sluice" / "kubeconfig", Connection(url))
        result = call("get", "workflows")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: no server answers at {url} (from ")
    assert "start it with `sluice up`" in result.stderr


def test_without_any_kubeconfig_nothing_is_guessed() -> None:
    result = call("get", "workflows")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no server to talk to: start one here with `sluice up`" in result.stderr


def test_unknown_options_and_verbs_are_wrong_input(place: Place) -> None:
    assert call("get", "workflows", "--nope").exit_code == 2
    assert call("frobnicate").exit_code == 2


def test_the_options_of_the_place_stand_with_every_verb(place: Place, tmp_path: Path) -> None:
    other = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}
    assert call("apply", "-f", "-", input=yaml.safe_dump(other)).exit_code == 0
    given = ["--kubeconfig", str(tmp_path / ".sluice" / "kubeconfig"), "--context", "sluice", "-n", "other"]
    assert call("get", "workflows", *given).stderr == "No resources found in other namespace.\n"
    assert call("get", "workflows", "--context", "nope").exit_code == 2
    assert call("delete", "namespace", "other").exit_code == 0
