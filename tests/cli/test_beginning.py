"""The first minutes of somebody new: every line is what they would type, against the program that runs for real."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.place import call
from tests.contracts.store.builders import eventually

SLUICE = str(Path(sys.executable).with_name("sluice"))


@pytest.fixture
def flows(tmp_path: Path) -> Iterator[Path]:
    """`sluice new` and `sluice up`; gives the folder that is followed."""
    folder = tmp_path / "flows"
    folder.mkdir()
    assert call("new", "hello", "--file", "flows/hello.yaml").exit_code == 0
    command = [SLUICE, "up", "flows", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as serving:
        assert serving.stdout is not None
        said: list[str] = []
        for line in serving.stdout:
            said.append(line)
            if "workflow/hello" in line:
                break
        assert "applied" in said[-1]
        eventually(is_at_home, "hello is Active in the environment that is made for it")
        yield folder
        serving.send_signal(signal.SIGINT)
        assert serving.wait(20) == 0
        serving.stdout.read()


def is_at_home() -> bool:
    shown = call("get", "workflow", "hello", "-o", "json")
    return bool(shown.exit_code == 0 and json.loads(shown.stdout).get("status", {}).get("activeIn") == "local")


def test_the_first_run_its_report_and_the_way_back(flows: Path) -> None:
    """R048, R049, R132 to R134."""
    ran = call("run", "hello", "--payload", '{"name": "Bo"}', "--wait", "--timeout", "20s", "-o", "json")
    assert ran.exit_code == 0, ran.stderr
    run = json.loads(ran.stdout)
    assert run["status"]["outputs"] == {"text": "Hello, Bo!", "letters": 10}
    name = run["metadata"]["name"]

    report = yaml.safe_load(call("report", name).stdout)
    assert report["success"] is True
    assert [step["name"] for step in report["steps"]] == ["greet", "count"]
    assert call("runs", "hello").stdout.splitlines()[1].split()[:4] == [name, "local", "v1", "Succeeded"]
    assert call("logs", name, "-f").exit_code == 0
    assert call("watch", name).exit_code == 0
    again = call("replay", name, "--wait", "--timeout", "20s")
    assert again.exit_code == 0, again.output

    assert call("diff", "flows").stdout == "0 created, 0 changed, 1 unchanged\n"
    path = flows / "hello.yaml"
    path.write_text(path.read_text().replace("default: Hello", "default: Hi"))
    eventually(lambda: "\nv2 " in call("versions", "hello").stdout, "the saved file is published")
    reverted = call("revert", "hello", "--to", "v1", "--wait", "--timeout", "20s")
    assert (reverted.exit_code, reverted.stdout) == (0, "hello v3 (a revert to v1) is published\n")
    assert [line.split()[0] for line in call("versions", "hello").stdout.splitlines()[1:]] == ["v3", "v2", "v1"]


def test_switching_off_refuses_runs_until_it_is_switched_on_again(flows: Path) -> None:
    off = call("deactivate", "hello", "--env", "local", "--reason", "double charges")
    assert off.exit_code == 0, off.stderr
    refused = call("run", "hello", "--env", "local", "--wait", "--timeout", "20s")
    assert refused.exit_code == 1
    assert "Rejected (InactiveByHand: hello is Inactive in local: switched off in local by" in refused.stdout
    assert call("activate", "hello", "--env", "local").exit_code == 0
    assert call("run", "hello", "--env", "local", "--wait", "--timeout", "20s").exit_code == 0


def test_a_terminal_that_can_not_show_a_letter_gets_its_number(flows: Path) -> None:
    written = (flows / "hello.yaml").read_text().replace("default: Hello", "default: Grüß")
    (flows / "hello.yaml").write_text(written)
    eventually(lambda: "Gr" in call("show", "hello", "v2").stdout, "v2 is published")
    plain = {**os.environ, "PYTHONIOENCODING": "ascii"}
    shown = subprocess.run([SLUICE, "show", "hello", "v2"], capture_output=True, text=True, env=plain, check=True)
    assert "Gr\\xfc\\xdf" in shown.stdout


def test_a_full_disk_behind_the_output_is_told_in_one_line(flows: Path) -> None:
    del flows
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [SLUICE, "versions", "hello"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:{taken}", "192.0.2.1:80"])
def test_an_address_that_can_not_be_had_is_told_in_one_line(tmp_path: Path, address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = address.format(taken=other.getsockname()[1])
        ended = subprocess.run(
            [SLUICE, "up", "--listen", listen], capture_output=True, text=True, timeout=30, check=False
        )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"sluice up: can't listen on {listen}: ")
    assert len(ended.stderr.splitlines()) == 1
    assert "--listen 127.0.0.1:0" in ended.stderr
