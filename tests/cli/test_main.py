from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from sluice import __version__, bootstrap
from sluice.cli.main import GROUPS, VERBS, app
from tests.cli.place import call

SCRIPTS = Path(sys.executable).parent
HEAVY = {"httpx", "pydantic", "rich", "yaml", "sqlalchemy", "starlette", "cel_expr_python", "git"}


def imported(*words: str) -> set[str]:
    code = (
        "import sys; from sluice.cli.main import app\n"
        f"try: app({list(words)!r})\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_help_lists_every_verb() -> None:
    shown = call("--help")
    assert shown.exit_code == 0
    words = {line.split()[0] for line in shown.stdout.splitlines() if line.startswith("  ") and line.strip()}
    assert set(VERBS) <= words


def test_without_a_verb_there_is_help() -> None:
    assert "Usage: sluice" in call().output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_tells_itself_as_the_list_does(verb: str) -> None:
    command = get_command(app).get_command(None, verb)  # type: ignore[attr-defined]
    assert command.help.splitlines()[0] == VERBS[verb][1]
    assert call(verb, "--help").exit_code == 0


@pytest.mark.parametrize("verb", sorted(set(VERBS) - GROUPS))
def test_every_option_of_a_verb_says_what_it_does(verb: str) -> None:
    command = get_command(app).get_command(None, verb)  # type: ignore[attr-defined]
    assert [param.name for param in command.params if not param.help and param.name != "help"] == []


def test_help_imports_nothing_heavy() -> None:
    assert imported("--help") & HEAVY == set()


@pytest.mark.parametrize("verb", ["get", "versions", "watch", "approvals"])
def test_looking_at_objects_imports_no_models(verb: str) -> None:
    found = imported(verb, "hello")
    assert "httpx" in found
    assert found & {"sluice.api.workflow", "sluice.domain.expressions", "sqlalchemy", "starlette"} == set()


def test_the_version_is_printed() -> None:
    assert call("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize(("program", "shown"), [("sluice", "sluice"), ("kubectl-sluice", "kubectl sluice")])
def test_both_programs_call_themselves_as_people_call_them(program: str, shown: str) -> None:
    done = subprocess.run([SCRIPTS / program, "get", "--help"], capture_output=True, text=True, check=True)
    assert f"Usage: {shown} get" in done.stdout


@pytest.mark.parametrize("words", [[], ["run"], ["rollout"], ["rollout", "stop"]])
def test_help_has_a_short_name_everywhere(words: list[str]) -> None:
    short = call(*words, "-h")
    assert (short.exit_code, short.stdout) == (0, call(*words, "--help").stdout)
    assert "-h, --help" in short.stdout


def test_up_wants_a_folder(tmp_path: Path) -> None:
    result = call("up", str(tmp_path / "missing"))
    assert (result.exit_code, "is no folder" in result.stderr) == (2, True)


def test_up_ends_with_the_exit_code_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    def fake_up(directory: Path | None, **settings: object) -> int:
        started.extend([directory, settings])
        return 1

    monkeypatch.setattr(bootstrap, "up", fake_up)
    assert call("up", str(tmp_path), "--listen", "127.0.0.1:0", "-n", "team").exit_code == 1
    assert started == [tmp_path, {"data": Path(".sluice"), "listen": "127.0.0.1:0", "namespace": "team"}]
