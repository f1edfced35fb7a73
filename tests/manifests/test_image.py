"""The image's recipe, read: it is built nowhere here, so it says little, and what it says is held to the rest."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from pathlib import Path

import pytest

from sluice.manifests.controller import FOLDER
from sluice.manifests.settings import HTTPS_PORT, IMAGE, METRICS_PORT, USER_ID
from tests.manifests.pins import BUILDER, EXTRAS, needed, pinned, project

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "controller" / "Dockerfile").read_text()
LINES = [line for line in TEXT.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def those(word: str) -> list[str]:
    """What is said after a word of the recipe."""
    return [line.removeprefix(f"{word} ") for line in LINES if line.startswith(f"{word} ")]


def test_python_is_pinned_by_version_and_digest_for_both_stages() -> None:
    (python,) = those("ARG")
    version = re.fullmatch(r"PYTHON=python:(\d+)\.(\d+)\.\d+-slim-\w+@sha256:[0-9a-f]{64}", python)
    assert version is not None
    assert (int(version[1]), int(version[2])) >= (3, 11)
    assert those("FROM") == ["${PYTHON} AS build", "${PYTHON}"]


def test_it_runs_as_the_user_that_the_manifests_name_and_owns_the_ledgers_folder() -> None:
    assert those("USER") == [f"{USER_ID}:{USER_ID}"]
    assert f"useradd --uid {USER_ID} --gid {USER_ID}" in TEXT
    assert f"install --directory --owner={USER_ID} --group={USER_ID} {FOLDER}" in TEXT


def test_what_it_starts_is_a_program_of_the_project() -> None:
    assert those("ENTRYPOINT") == ['["sluice"]']
    assert "sluice" in PROJECT["project"]["scripts"]
    assert those("EXPOSE") == [f"{HTTPS_PORT} {METRICS_PORT}"]


def test_it_holds_the_extras_of_a_cluster() -> None:
    assert f"[{','.join(EXTRAS)}]" in TEXT
    assert set(EXTRAS) <= PROJECT["project"]["optional-dependencies"].keys()


def test_what_it_says_of_itself_is_what_the_manifests_ask_for() -> None:
    assert f"--tag {IMAGE} ." in TEXT


def test_every_file_that_is_copied_is_there_and_not_left_out() -> None:
    sources = [word for copied in those("COPY") if "--from" not in copied for word in copied.split()[:-1]]
    assert {"pyproject.toml", "README.md", "LICENSE", "controller"} == set(sources)
    ignored = (ROOT / "controller" / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == set(sources)
    assert all((ROOT / source).exists() for source in sources)
    assert [line for line in ignored if fnmatch.fnmatch("controller/sluice/api/kinds.py", line)] == ["*"]


def test_nothing_of_the_builder_is_in_the_image_but_the_environment() -> None:
    final = TEXT.partition("FROM ${PYTHON}\n")[2]
    assert re.findall(r"COPY (.*)", final) == ["--from=build /opt/sluice /opt/sluice"]
    assert "--without-pip" in TEXT
    assert not re.search(r"\b(pip|apt-get|gcc|curl)\b", final)


@pytest.mark.parametrize("requirement", project(), ids=lambda requirement: str(requirement.name))
def test_what_the_image_needs_is_pinned_to_a_version_that_will_do(requirement: object) -> None:
    name, wanted = requirement.name, requirement.specifier  # type: ignore[attr-defined]
    versions = {one.replace("_", "-").lower(): version for one, version in pinned().items()}
    assert versions[name.replace("_", "-").lower()] in wanted


def test_everything_that_is_needed_in_turn_is_pinned_and_so_is_what_builds() -> None:
    assert needed(project()).keys() <= pinned().keys()
    (builder,) = [line for line in PROJECT["build-system"]["requires"] if line.startswith(BUILDER)]
    assert tuple(map(int, pinned()[BUILDER].split("."))) >= (int(builder.partition(">=")[2]),)
