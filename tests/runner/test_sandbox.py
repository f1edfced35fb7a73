"""The walls around a worker, tried from inside: each attempt runs in a forked process that gave everything up."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from sluice.runner.seccomp import filter_program

TRY = """
import os, resource, signal, socket, sys, threading
from pathlib import Path
from sluice.runner.sandbox import give_up, limit_memory, mapped_bytes
from sluice.steps.namespace import load_modules
load_modules()
scratch, outside = sys.argv[2], sys.argv[3]
mapped = mapped_bytes()
protection = give_up(scratch)
try:
    print(eval(sys.argv[1]))
except BaseException as error:
    print(type(error).__name__)
"""

WALLS = [
    ("protection", "Protection(no_new_privileges=True, landlock=True, seccomp=True)"),
    ("open('/etc/passwd').read()", "PermissionError"),
    ("open('/proc/self/environ').read()", "PermissionError"),
    ("os.listdir('/')", "PermissionError"),
    ("open(outside + '/x', 'w')", "PermissionError"),
    ("Path(scratch, 'x').write_text('mine')", "4"),
    ("len(open(os.__file__).read()) > 100", "True"),
    ("socket.socket()", "PermissionError"),
    ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "PermissionError"),
    ("os.fork()", "PermissionError"),
    ("os.execv('/bin/true', ['true'])", "PermissionError"),
    ("os.kill(os.getppid(), 9)", "PermissionError"),
    ("os.symlink('/etc/passwd', scratch + '/p') or open(scratch + '/p')", "PermissionError"),
    ("resource.getrlimit(resource.RLIMIT_CORE)", "(0, 0)"),
    ("limit_memory(50_000_000, above=mapped) or bytearray(50_000_000)", "MemoryError"),
    ("limit_memory(50_000_000, above=mapped) or len(bytearray(45_000_000))", "45000000"),
    ("limit_memory(0, above=mapped) or len(bytearray(50_000_000))", "50000000"),
]


@pytest.mark.parametrize(("expression", "answer"), WALLS, ids=[expression for expression, _ in WALLS])
def test_a_worker_can_not_get_out(expression: str, answer: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-c", TRY, expression, str(scratch), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.strip() == answer, done.stderr


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_allows_by_default_and_refuses_what_it_lists(machine: str) -> None:
    """The program is run here by an interpreter of the five instructions that it uses."""
    foreign = {"x86_64": 0xC00000B7, "aarch64": 0xC000003E}[machine]
    own = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]
    fork_like, read = {"x86_64": (57, 0), "aarch64": (220, 63)}[machine]
    program = filter_program(machine)
    assert interpret(program, number=read, architecture=own) == 0x7FFF0000
    assert interpret(program, number=fork_like, architecture=own) == 0x00050001
    assert interpret(program, number=435, architecture=own) == 0x00050001
    assert interpret(program, number=0x40000000 | 2, architecture=own) == 0x00050001
    assert interpret(program, number=read, architecture=foreign) == 0x80000000


def interpret(program: bytes, *, number: int, architecture: int) -> int:
    data, place, held = {0: number, 4: architecture}, 0, 0
    instructions = list(struct.iter_unpack("=HBBI", program))
    while True:
        code, yes, no, value = instructions[place]
        place += 1
        if code == 0x06:
            return int(value)
        if code == 0x20:
            held = data[value]
        else:
            place += yes if (held == value if code == 0x15 else held >= value) else no
