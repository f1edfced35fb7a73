from __future__ import annotations

import datetime as dt

import pytest

from sluice.api.kinds import ENVIRONMENT_STATE
from sluice.cli.environments import entry_name, moment
from sluice.cli.failures import Wrong
from sluice.ports.store import Obj
from tests.cli.place import Place, call, environment, manifest, workflow

NOW = dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC)
NAME = "support.production"


def state(**spec: object) -> Obj:
    return manifest("EnvironmentState", NAME, {"state": "Active", **spec})


def spec(place: Place, name: str = NAME) -> Obj:
    found: Obj = place.get(ENVIRONMENT_STATE, name)["spec"]
    return found


def test_deactivating_is_an_entry_under_ones_own_name(place: Place) -> None:
    place.make(workflow(), environment(), state())
    result = call("deactivate", "support", "--env", "production", "--reason", "double charges")
    assert (result.exit_code, result.stdout) == (0, "support is Inactive in production\n")
    assert spec(place)["state"] == "Active"
    assert spec(place)["overrides"] == {"ana-example-com": {"state": "Inactive", "reason": "double charges"}}


@pytest.mark.parametrize(
    ("declared", "default", "in_force"),
    [({"production": "Active"}, "Inactive", "Active"), ({}, "Active", "Active"), ({}, "Inactive", "Inactive")],
)
def test_a_state_that_is_missing_is_made_as_it_is_in_force(
    place: Place, declared: dict[str, str], default: str, in_force: str
) -> None:
    place.make(workflow(environments=declared), environment(defaultState=default))
    assert call("deactivate", "support", "--env", "production").exit_code == 0
    assert spec(place)["state"] == in_force
    assert list(spec(place)["overrides"]) == ["ana-example-com"]


def test_the_kill_switch_works_beside_git(place: Place) -> None:
    place.make(workflow(), environment())
    place.store.apply(state(), manager="sluice-git/main")
    assert call("deactivate", "support", "--env", "production").exit_code == 0
    place.store.apply(state(), manager="sluice-git/main")
    assert "ana-example-com" in spec(place)["overrides"]


def test_deactivating_again_replaces_what_was_said_before(place: Place) -> None:
    place.make(workflow(), environment(), state())
    call("deactivate", "support", "--env", "production", "--until", "2999-01-31T08:00:00Z", "--reason", "one")
    assert spec(place)["overrides"]["ana-example-com"]["until"] == "2999-01-31T08:00:00Z"
    call("deactivate", "support", "--env", "production")
    assert spec(place)["overrides"]["ana-example-com"] == {"state": "Inactive"}


def test_activating_ends_what_anybody_switched_off(place: Place) -> None:
    place.make(workflow(), environment(), state(overrides={"ben": {"state": "Inactive"}}))
    assert call("activate", "support", "--env", "production").stdout == "support is Active in production\n"
    assert spec(place).get("overrides", {}) == {}


def test_activating_declares_active_where_nothing_or_inactive_is_declared(place: Place) -> None:
    place.make(workflow(), environment())
    assert call("activate", "support", "--env", "production").exit_code == 0
    assert spec(place)["state"] == "Active"
    place.make(workflow("billing"), manifest("EnvironmentState", "billing.production", {"state": "Inactive"}))
    assert call("activate", "billing", "--env", "production").exit_code == 0
    assert spec(place, "billing.production")["state"] == "Active"


def test_activating_what_is_active_makes_nothing(place: Place) -> None:
    place.make(workflow(), environment(defaultState="Active"))
    result = call("activate", "support", "--env", "production")
    assert (result.stdout, result.stderr) == ("", "support is Active in production already\n")
    assert place.all(ENVIRONMENT_STATE) == []


def test_what_git_declares_inactive_is_activated_in_git(place: Place) -> None:
    place.make(workflow(), environment())
    place.store.apply(manifest("EnvironmentState", NAME, {"state": "Inactive"}), manager="sluice-git/main")
    result = call("activate", "support", "--env", "production")
    assert result.exit_code == 1
    assert f"EnvironmentState {NAME}: spec.state is owned by the git source main" in result.stderr


def test_all_means_every_workflow(place: Place) -> None:
    place.make(workflow(), workflow("billing"), environment())
    result = call("deactivate", "--all", "--env", "production")
    assert result.stdout == "billing is Inactive in production\nsupport is Inactive in production\n"


def test_one_workflow_or_all_is_to_be_said(place: Place) -> None:
    place.make(workflow(), environment())
    for words in (["--env", "production"], ["support", "--all", "--env", "production"]):
        result = call("deactivate", *words)
        assert (result.exit_code, result.stderr) == (2, "error: name one workflow, or say --all\n")


def test_an_unknown_environment_is_answered_with_those_there_are(place: Place) -> None:
    place.make(workflow(), environment())
    result = call("activate", "support", "--env", "prod")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: there is no environment prod in the namespace default; there are: production\n",
    )


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ("ana", "ana"),
        ("Ana@Example.com", "ana-example-com"),
        ("system:serviceaccount:ops:bot", "system-serviceaccount-ops-bot"),
        ("...", "somebody"),
        ("a" * 80, "a" * 63),
    ],
)
def test_entries_are_named_after_users_in_letters_that_names_have(user: str, name: str) -> None:
    assert entry_name(user) == name


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)),
        ("2026-02-01T00:00:00Z", dt.datetime(2026, 2, 1, tzinfo=dt.UTC)),
    ],
)
def test_an_end_is_a_time_or_so_long_from_now(text: str, at: dt.datetime) -> None:
    assert moment(text, NOW) == at


@pytest.mark.parametrize(
    ("text", "message"), [("soon", "'soon' is no time"), ("2026-01-31T07:00:00Z", "is over already"), ("1", "no time")]
)
def test_an_end_that_is_none_is_wrong_input(text: str, message: str) -> None:
    with pytest.raises(Wrong, match=f"--until: .*{message}"):
        moment(text, NOW)
